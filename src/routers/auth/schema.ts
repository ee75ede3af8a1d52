import * as z from 'zod';
import { Time, base64, text } from '@/utils/schema';

const PublicKey = base64({ min: 32, max: 32 });

export const LoginInput = z.object({
    publicKey: PublicKey,
    challenge: base64({ min: 16, max: 1024 }),
    signature: base64({ min: 64, max: 64 }),
});
export type LoginInput = z.infer<typeof LoginInput>;

export const TokenOutput = z.object({ success: z.literal(true), token: z.string() });

export const ChallengeInput = z.object({ publicKey: PublicKey });
export type ChallengeInput = z.infer<typeof ChallengeInput>;

export const ChallengeOutput = z.object({ challenge: z.string(), expiresAt: Time });

/** A key of any length that a body can have: pairing answers a wrong length itself (contract 4.1). */
const PairingKey = base64({ max: 10 * 1024 * 1024 }).meta({ description: 'Base64 of 32 bytes' });

export const PairingRequestInput = z.object({ publicKey: PairingKey });
export type PairingRequestInput = z.infer<typeof PairingRequestInput>;

export const TerminalRequestInput = PairingRequestInput.extend({ supportsV2: z.boolean().nullish() });
export type TerminalRequestInput = z.infer<typeof TerminalRequestInput>;

export const PairingRequestOutput = z.union([
    z.object({ state: z.literal('requested') }),
    z.object({ state: z.literal('authorized'), token: z.string(), response: z.string() }),
]);

export const PairingStatusInput = z.object({ publicKey: PairingKey });
export type PairingStatusInput = z.infer<typeof PairingStatusInput>;

export const PairingStatusOutput = z.object({
    status: z.enum(['not_found', 'pending', 'authorized']),
    supportsV2: z.boolean(),
});

export const PairingResponseInput = z.object({ publicKey: PairingKey, response: text(8 * 1024, 1) });
export type PairingResponseInput = z.infer<typeof PairingResponseInput>;

export const NoInput = z.object({});

export const SuccessOutput = z.object({ success: z.literal(true) });
