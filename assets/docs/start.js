// Starts the viewer (Scalar's own file, served from here). Everything that would leave this origin is off: fonts,
// telemetry, the proxy for requests and the links to Scalar's services. The page's Content-Security-Policy forbids it too.
Scalar.createApiReference('#app', {
    url: '/openapi.json',
    // Requests go straight to this server, which is the only one in the document.
    proxyUrl: '',
    withDefaultFonts: false,
    telemetry: false,
    hideClientButton: true,
    showDeveloperTools: 'never',
    agent: { disabled: true },
    mcp: { disabled: true },
    // A token is kept for no longer than the page is open.
    persistAuth: false,
    authentication: { preferredSecurityScheme: 'bearer' },
    defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
    metaData: { title: 'Happy Server API' },
});
