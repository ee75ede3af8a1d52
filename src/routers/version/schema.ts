import * as z from 'zod';
import { APP_VERSION } from '@/utils/app-version';
import { text } from '@/utils/schema';

const AppVersion = text(64).regex(APP_VERSION, 'Must be a version such as 1.4.0');

export const CheckVersionInput = z.object({ platform: text(64), version: AppVersion, app_id: text(256).nullish() });
export type CheckVersionInput = z.infer<typeof CheckVersionInput>;

/** Where to get a newer app; null when this one will do. */
export const CheckVersionOutput = z.object({ updateUrl: z.string().nullable() });
