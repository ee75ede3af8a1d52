import { compareVersions } from 'compare-versions';
import type { ServiceContext } from '@/context';
import type { CheckVersionInput } from '@/routers/version/schema';

/** Tells an app that is older than the configured minimum where to update; other platforms need none (contract 4.6). */
export function checkVersion({ config }: ServiceContext, { platform, version }: CheckVersionInput) {
    const app = config.apps.get(platform.toLowerCase());
    const isOld = app !== undefined && compareVersions(version, app.minimumVersion) < 0;
    return { updateUrl: isOld ? app.storeUrl : null };
}
