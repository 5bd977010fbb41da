/** Why a message was refused. The names are those of the proxy's error table. */
export type RequestFault =
  | 'badRequest'
  | 'targetTooLong'
  | 'headTooLarge'
  | 'bodyTooLarge'
  | 'versionUnsupported'
  | 'transferCodingUnknown'
  | 'methodUnsupported';

export type ResponseFault = 'upstreamInvalid' | 'upstreamTruncated' | 'upstreamReset';
