import { images } from '@test/fixtures/images';
import type { Answer, TestAccount } from '@test/helpers/account';
import type { TestServer } from '@test/helpers/server';

/** A small real image: 40 by 24 pixels. */
export function image(type: keyof typeof images): Uint8Array<ArrayBuffer> {
    return new Uint8Array(Buffer.from(images[type], 'base64'));
}

/** A form with a file and fields, in the order they are given. */
export function form(parts: Record<string, Blob | string>): FormData {
    const data = new FormData();
    for (const [name, value] of Object.entries(parts)) data.append(name, value);
    return data;
}

/** Sends anything as this account, with headers as they are given. */
export async function send(
    server: TestServer,
    account: TestAccount | null,
    method: string,
    path: string,
    body?: BodyInit,
    headers: Record<string, string> = {},
): Promise<Answer & { bytes: Uint8Array }> {
    const authorization: Record<string, string> = account ? { Authorization: `Bearer ${account.token}` } : {};
    const response = await server.fetch(path, { method, body, headers: { ...authorization, ...headers } });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const isJson = response.headers.get('Content-Type')?.includes('application/json') ?? false;
    return {
        status: response.status,
        headers: response.headers,
        body: isJson && bytes.length > 0 ? JSON.parse(new TextDecoder().decode(bytes)) : undefined,
        bytes,
    };
}

/** Uploads bytes through the raw door, declaring their length as HTTP clients do. */
export function uploadRaw(
    server: TestServer,
    account: TestAccount,
    bytes: Uint8Array<ArrayBuffer>,
    query: Record<string, string> = {},
    headers: Record<string, string> = {},
) {
    const path = `/v1/uploads/raw?${new URLSearchParams(query)}`;
    return send(server, account, 'PUT', path, bytes, { 'Content-Length': String(bytes.length), ...headers });
}

/** Uploads bytes as the file of a form. */
export function uploadForm(
    server: TestServer,
    account: TestAccount,
    file: File,
    fields: Record<string, string> = {},
    path = '/v1/uploads',
) {
    return send(server, account, 'POST', path, form({ file, ...fields }));
}
