import { z } from 'zod';

/** The name of a route, backend, group, ramp, token or fleet: safe in labels, paths and keys of a store. */
export const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, {
  error: 'must be 1 to 63 letters, digits, dots, dashes or underscores and begin with a letter or digit',
});

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A token (RFC 9110 section 5.6.2), kept as written: methods and cookie names. */
export const Token = z.string().regex(TOKEN, { error: 'must be a token (letters, digits, dashes; no blanks)' });

/** A field name (RFC 9110 section 5.1), not yet in lower case. */
export const FieldName = z
  .string()
  .regex(TOKEN, { error: 'must be a header name (letters, digits, dashes; no blanks)' });

/** A field name in lower case, as the data plane compares them. */
export const LowerFieldName = FieldName.transform((name) => name.toLowerCase());

/** Without these, or with others, a message ends elsewhere or goes elsewhere (RFC 9110 sections 7.2 and 7.6.1, RFC 9112 section 6). */
const FRAMING = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The name of a field that Crossfade itself adds or takes off. */
export const OwnFieldName = LowerFieldName.refine((name) => !FRAMING.has(name), {
  error: 'must not be a field by which messages are framed or sent on',
});

/** A field value (RFC 9110 section 5.5): one that has blanks around it or control characters in it could never be equal. */
export const FieldValue = z
  .string()
  .regex(/^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/, {
    error: 'must be a header value (no control characters, no blanks around it)',
  });

/** A file's path; relative ones resolve from the folder of the configuration file. */
export const FilePath = z.string().min(1);
