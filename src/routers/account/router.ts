import {
    GetProfileInput,
    GetSettingsInput,
    Profile,
    SettingsOutput,
    UpdateProfileInput,
    UpdateProfileOutput,
    UpdateSettingsInput,
    UpdateSettingsOutput,
} from '@/routers/account/schema';
import { getProfile, updateProfile } from '@/routers/account/service';
import { getSettings, updateSettings } from '@/routers/account/settings';
import { accountProcedure, restOf, router } from '@/trpc';

const rest = restOf('Account');

export const accountRouter = router({
    profile: accountProcedure
        .meta(
            rest('GET', '/v1/account', 'Get your profile', {
                aliases: [{ path: '/v1/account/profile' }],
                etagWithout: ['timestamp'],
            }),
        )
        .input(GetProfileInput)
        .output(Profile)
        .query(({ ctx }) => getProfile(ctx)),
    updateProfile: accountProcedure
        .meta(rest('PUT', '/v1/account', 'Change your names', { failureStatus: 409 }))
        .input(UpdateProfileInput)
        .output(UpdateProfileOutput)
        .mutation(({ ctx, input }) => updateProfile(ctx, input)),
    settings: accountProcedure
        .meta(
            rest('GET', '/v1/account/preferences', 'Get your encrypted settings', {
                aliases: [{ path: '/v1/account/settings' }],
            }),
        )
        .input(GetSettingsInput)
        .output(SettingsOutput)
        .query(({ ctx }) => getSettings(ctx)),
    updateSettings: accountProcedure
        .meta(
            rest('PUT', '/v1/account/preferences', 'Replace your settings if they have the expected version', {
                aliases: [{ method: 'POST', path: '/v1/account/settings' }],
            }),
        )
        .input(UpdateSettingsInput)
        .output(UpdateSettingsOutput)
        .mutation(({ ctx, input }) => updateSettings(ctx, input)),
});
