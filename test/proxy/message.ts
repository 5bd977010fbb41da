/** Reading what a test's end of a connection received; knows nothing of the codec under test, and is no stricter than tests need. */

export interface ReceivedMessage {
  readonly startLine: string;
  /** 0 of a request. */
  readonly status: number;
  /** The head as it came, with the empty line. */
  readonly head: string;
  /** One character a byte, the chunked coding taken off. */
  readonly body: string;
  /** Trailer lines, CRLF behind each. */
  readonly trailers: string;
  /** Values of a field, the name in any case. */
  readonly all: (name: string) => string[];
  readonly get: (name: string) => string | undefined;
}

interface Body {
  readonly body: string;
  readonly trailers: string;
  /** Where the message ends in the text. */
  readonly end: number;
}

/** The first message of the text, or null when it is not whole. @param isOver nothing more will come */
export function takeMessage(
  text: string,
  isOver: boolean,
  answersHead: boolean,
): { message: ReceivedMessage; length: number } | null {
  const headEnd = text.indexOf('\r\n\r\n') + 4;
  if (headEnd === 3) return null;
  const head = text.slice(0, headEnd);
  const lines = head.split('\r\n').slice(0, -2);
  const startLine = lines[0] as string;
  const all = (name: string): string[] =>
    lines
      .slice(1)
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const)
      .filter(([candidate]) => candidate.toLowerCase() === name.toLowerCase())
      .map(([, value]) => value);
  const status = startLine.startsWith('HTTP/') ? Number(startLine.split(' ')[1]) : 0;
  const bodiless = answersHead || (status >= 100 && status < 200) || status === 204 || status === 304;
  const body = bodiless ? { body: '', trailers: '', end: headEnd } : takeBody(text, headEnd, all, status, isOver);
  if (body === null) return null;
  const message = {
    startLine,
    status,
    head,
    body: body.body,
    trailers: body.trailers,
    all,
    get: (name: string) => all(name)[0],
  };
  return { message, length: body.end };
}

function takeBody(
  text: string,
  at: number,
  all: (name: string) => string[],
  status: number,
  isOver: boolean,
): Body | null {
  if (all('transfer-encoding').length > 0) return takeChunks(text, at);
  const length = all('content-length')[0];
  if (length === undefined) {
    if (status === 0) return { body: '', trailers: '', end: at };
    return isOver ? { body: text.slice(at), trailers: '', end: text.length } : null;
  }
  const end = at + Number(length);
  return text.length < end ? null : { body: text.slice(at, end), trailers: '', end };
}

function takeChunks(text: string, from: number): Body | null {
  let at = from;
  let body = '';
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) break;
    if (text.length < at + size + 2) return null;
    body += text.slice(at, at + size);
    at += size + 2;
  }
  let trailers = '';
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const line = text.slice(at, lineEnd + 2);
    at = lineEnd + 2;
    if (line === '\r\n') return { body, trailers, end: at };
    trailers += line;
  }
}
