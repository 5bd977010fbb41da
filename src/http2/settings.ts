/** SETTINGS (RFC 9113 section 6.5). */
import { FLOW_CONTROL_ERROR, NO_ERROR, PROTOCOL_ERROR } from './error-code.ts';
import { FRAME_BYTES, MAX_31_BITS, readUint16, readUint32 } from './frame.ts';

const HEADER_TABLE_SIZE = 1;
export const ENABLE_PUSH = 2;
export const MAX_CONCURRENT_STREAMS = 3;
export const INITIAL_WINDOW_SIZE = 4;
const MAX_FRAME_SIZE = 5;
export const MAX_HEADER_LIST_SIZE = 6;

/** Identifier 2, value 4. */
export const SETTING_BYTES = 6;

/** Bytes of a window that nobody has said anything about. */
export const DEFAULT_WINDOW = 65_535;
/** Bytes of a dynamic table that nobody has said anything about; we never ask for more (RFC 7541 section 4.2). */
export const TABLE_BYTES = 4_096;

/** What the peer allows us. */
export class PeerSettings {
  tableBytes = TABLE_BYTES;
  maxConcurrentStreams = MAX_31_BITS;
  initialWindow = DEFAULT_WINDOW;
  /** The smallest dynamic table among the settings of the frame applied last: entries that did not fit it are gone for the peer. */
  smallestTable = TABLE_BYTES;

  /** Applies the payload at bytes[at, end), a multiple of SETTING_BYTES. Returns an error code, NO_ERROR when all is well. */
  apply(bytes: Uint8Array, at: number, end: number): number {
    this.smallestTable = this.tableBytes;
    for (let p = at; p < end; p += SETTING_BYTES) {
      const error = this.#set(readUint16(bytes, p), readUint32(bytes, p + 2));
      if (error !== NO_ERROR) return error;
    }
    return NO_ERROR;
  }

  #set(setting: number, value: number): number {
    switch (setting) {
      case HEADER_TABLE_SIZE:
        this.tableBytes = value;
        if (value < this.smallestTable) this.smallestTable = value;
        return NO_ERROR;
      case ENABLE_PUSH:
        return value > 1 ? PROTOCOL_ERROR : NO_ERROR;
      case MAX_CONCURRENT_STREAMS:
        this.maxConcurrentStreams = value;
        return NO_ERROR;
      case INITIAL_WINDOW_SIZE:
        if (value > MAX_31_BITS) return FLOW_CONTROL_ERROR;
        this.initialWindow = value;
        return NO_ERROR;
      case MAX_FRAME_SIZE:
        // Larger frames are allowed us then; nothing is gained by them.
        return value < FRAME_BYTES || value > 0xffffff ? PROTOCOL_ERROR : NO_ERROR;
      default:
        // RFC 9113 section 6.5.2: unknown settings are ignored. MAX_HEADER_LIST_SIZE is a hint that the peer refuses by itself.
        return NO_ERROR;
    }
  }
}
