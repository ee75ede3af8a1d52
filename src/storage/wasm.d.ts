/** Wrangler and the tests compile these ahead of time. */
declare module '*.wasm' {
    const module: WebAssembly.Module;
    export default module;
}
