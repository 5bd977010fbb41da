import { FlatFields, Rendering } from '../fields.ts';

/** The fields of a message without the pseudo-fields: names in lower case, nothing malformed. Never changes. */
export class Http2Fields extends FlatFields {
  /** Names that the peer sent as never to be indexed: every hop must send them so (RFC 7541 section 6.2.3). */
  readonly neverIndexed: readonly string[] | null;
  override readonly sent = new Rendering();

  constructor(flat: readonly string[], neverIndexed: readonly string[] | null) {
    super(flat);
    this.neverIndexed = neverIndexed;
  }

  override get(name: string): string | undefined {
    const { flat } = this;
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) return flat[i + 1];
    return undefined;
  }
}
