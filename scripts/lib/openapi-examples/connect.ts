import type { Examples } from './example';

const vendor = 'anthropic';
const token = 'sk-ant-example';

export const connectExamples: Examples<'connect'> = {
    githubParams: {
        request: {},
        response: {
            url: 'https://github.com/login/oauth/authorize?client_id=Iv1.8a61f9b3a7aba766&state=eyJhbGciOiJFZERTQSJ9…',
        },
    },
    disconnectGithub: { request: {}, response: { success: true } },
    tokens: { request: {}, response: { tokens: [{ vendor, token }] } },
    register: { request: { vendor, token }, response: { success: true } },
    token: { request: { vendor }, response: { token } },
    disconnect: { request: { vendor }, response: { success: true } },
};
