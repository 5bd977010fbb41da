/** Why a request was refused though it could be read. The names are those of the proxy's error table. */
export type RequestFault = 'targetTooLong' | 'headTooLarge' | 'bodyTooLarge' | 'methodUnsupported';
