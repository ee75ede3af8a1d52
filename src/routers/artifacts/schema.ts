import * as z from 'zod';
import { DataEncryptionKey, Id, Time, base64 } from '@/utils/schema';

const Header = base64({ max: 256 * 1024 });

/** 1.4 MiB: with header and key it stays below a row's 2 MB. */
const Body = base64({ max: 1_468_006 });

/** An artifact as lists show it. Header and key are base64 (contract 4.4). */
export const ArtifactHeader = z.object({
    id: z.string(),
    header: z.string(),
    headerVersion: z.int(),
    dataEncryptionKey: z.string(),
    seq: z.int(),
    createdAt: Time,
    updatedAt: Time,
});
export type ArtifactHeader = z.infer<typeof ArtifactHeader>;

/** An artifact with its body, in base64 too. */
export const Artifact = ArtifactHeader.extend({ body: z.string(), bodyVersion: z.int() });
export type Artifact = z.infer<typeof Artifact>;

export const ListArtifactsInput = z.object({});

export const ListArtifactsOutput = z.object({ artifacts: z.array(ArtifactHeader) });

export const ArtifactIdInput = z.object({ id: Id });
export type ArtifactIdInput = z.infer<typeof ArtifactIdInput>;

/** Published clients read the fields flat, documented ones under `artifact`: both get both. */
export const ArtifactOutput = Artifact.extend({ artifact: Artifact });
export type ArtifactOutput = z.infer<typeof ArtifactOutput>;

export const CreateArtifactInput = z.object({
    id: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/),
    header: Header,
    body: Body,
    dataEncryptionKey: DataEncryptionKey,
});
export type CreateArtifactInput = z.infer<typeof CreateArtifactInput>;

const Version = z.int().min(0).nullish();

export const UpdateArtifactInput = z
    .object({
        id: Id,
        header: Header.nullish(),
        expectedHeaderVersion: Version,
        body: Body.nullish(),
        expectedBodyVersion: Version,
    })
    .refine(({ header, expectedHeaderVersion }) => header == null || expectedHeaderVersion != null, {
        path: ['expectedHeaderVersion'],
        message: 'Needed with header',
    })
    .refine(({ body, expectedBodyVersion }) => body == null || expectedBodyVersion != null, {
        path: ['expectedBodyVersion'],
        message: 'Needed with body',
    });
export type UpdateArtifactInput = z.infer<typeof UpdateArtifactInput>;

export const UpdateArtifactOutput = z.discriminatedUnion('success', [
    z.object({ success: z.literal(true), headerVersion: z.int().optional(), bodyVersion: z.int().optional() }),
    z.object({
        success: z.literal(false),
        error: z.literal('version-mismatch'),
        currentHeaderVersion: z.int().optional(),
        currentHeader: z.string().optional(),
        currentBodyVersion: z.int().optional(),
        currentBody: z.string().optional(),
    }),
]);
export type UpdateArtifactOutput = z.infer<typeof UpdateArtifactOutput>;

export const SuccessOutput = z.object({ success: z.literal(true) });
