/** How long a body is: bytes, or UNKNOWN. The numbers are those of HTTP/1's framing. */
export const NO_BODY = 0;
export const UNKNOWN = -1;

/** HTTP/2 has no Connection field: nothing is asked for, nothing belongs to one hop. */
export const NO_CONNECTION_OPTIONS = { close: false, keepAlive: false, upgrade: false, nominated: null } as const;
