import * as z from 'zod';
import { EncryptedText, Time, text } from '@/utils/schema';

/** An account's picture: `url` is signed and needs no token; pixels, null for what is unknown (contract 13). */
export const Avatar = z.object({
    id: z.string(),
    path: z.string(),
    url: z.string(),
    width: z.int().nullable(),
    height: z.int().nullable(),
    thumbhash: z.string().nullable(),
});
export type Avatar = z.infer<typeof Avatar>;

/** Who the account is on GitHub (contract 13). */
export const GitHub = z.object({
    id: z.number(),
    login: z.string(),
    name: z.string(),
    avatar_url: z.string(),
    bio: z.string().nullable(),
    email: z.string().optional(),
});
export type GitHub = z.infer<typeof GitHub>;

/** The account as its owner sees it; `timestamp` is the time of the answer, Unix ms (contract 4.5). */
export const Profile = z.object({
    id: z.string(),
    timestamp: Time,
    firstName: z.string().nullable(),
    lastName: z.string().nullable(),
    username: z.string().nullable(),
    avatar: Avatar.nullable(),
    github: GitHub.nullable(),
    connectedServices: z.array(z.string()),
});
export type Profile = z.infer<typeof Profile>;

export const GetProfileInput = z.object({});

const Name = text(256);

export const UpdateProfileInput = z.object({
    /** null clears a field, absence leaves it. */
    firstName: Name.nullish(),
    lastName: Name.nullish(),
    /** Unique without case; null leaves it. */
    username: z
        .string()
        .regex(/^[a-zA-Z0-9_-]{3,50}$/, 'Must be 3 to 50 of a-z, A-Z, 0-9, _ and -')
        .nullish(),
});
export type UpdateProfileInput = z.infer<typeof UpdateProfileInput>;

export const UpdateProfileOutput = z.discriminatedUnion('success', [
    z.object({ success: z.literal(true), profile: Profile }),
    z.object({ success: z.literal(false), error: z.literal('username-taken') }),
]);

export const GetSettingsInput = z.object({});

/** Encrypted settings with the version that a change must name (contract 4.5). */
export const SettingsOutput = z.object({ settings: z.string().nullable(), settingsVersion: z.int() });

export const UpdateSettingsInput = z.object({
    /** null clears them. */
    settings: EncryptedText.nullable(),
    expectedVersion: z.int().min(0),
});
export type UpdateSettingsInput = z.infer<typeof UpdateSettingsInput>;

export const UpdateSettingsOutput = z.discriminatedUnion('success', [
    z.object({ success: z.literal(true), version: z.int() }),
    z.object({
        success: z.literal(false),
        error: z.literal('version-mismatch'),
        currentVersion: z.int(),
        currentSettings: z.string().nullable(),
    }),
]);
