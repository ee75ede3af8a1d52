import * as z from 'zod';
import { text } from '@/utils/schema';

export const NoInput = z.object({});

export const SuccessOutput = z.object({ success: z.literal(true) });

/** AI vendors whose tokens are kept (contract 4.6). */
export const Vendor = z.enum(['openai', 'anthropic', 'gemini']);
export type Vendor = z.infer<typeof Vendor>;

export const VendorInput = z.object({ vendor: Vendor });
export type VendorInput = z.infer<typeof VendorInput>;

export const RegisterVendorInput = z.object({ vendor: Vendor, token: text(16 * 1024, 1) });
export type RegisterVendorInput = z.infer<typeof RegisterVendorInput>;

export const VendorTokenOutput = z.object({ token: z.string().nullable() });

export const VendorTokensOutput = z.object({ tokens: z.array(z.object({ vendor: Vendor, token: z.string() })) });

export const GitHubParamsOutput = z.object({ url: z.string() });
