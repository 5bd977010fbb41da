/** What all connections read into: used up, or copied, before the next read. */
export const READ_BUFFER: Buffer = Buffer.allocUnsafeSlow(65_536);
