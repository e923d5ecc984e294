// A page that stands in a file has no address that could hold its state.

export const remember = () => {};
export const waiting = () => {};
export const go = () => {};
