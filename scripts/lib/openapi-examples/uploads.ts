import type { Examples } from './example';
import { THEN } from './example';

const id = 'cmgx4s0aa1k2j3h4g5f6d7s8f';
const file = {
    id,
    path: `documents/cmgx4s0aa1k2j3h4g5f6d7s8b/${id}.pdf`,
    category: 'documents' as const,
    originalName: 'report.pdf',
    contentType: 'application/pdf',
    size: 245678,
    width: null,
    height: null,
    thumbhash: null,
    reuseKey: null,
    createdAt: THEN,
    updatedAt: THEN,
};

export const uploadExamples: Examples<'uploads'> = {
    list: {
        request: { category: 'documents', limit: 50 },
        response: { files: [file], nextCursor: null, hasNext: false },
    },
    get: { request: { id }, response: { file } },
    delete: { request: { id }, response: { success: true } },
};
