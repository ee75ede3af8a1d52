/** A version as app stores know them: one to four numbers, with a pre-release and a build if need be. */
export const APP_VERSION = /^v?\d+(\.\d+){0,3}(-[\w.-]+)?(\+[\w.-]+)?$/;
