/** Paths as they are compared. What a backend is sent stays untouched. */

const UNRESERVED = /^[A-Za-z0-9\-._~]$/;

/**
 * The path that routes are matched by: percent-encoded unreserved characters decoded, other escapes in upper case, dot segments
 * removed (RFC 3986 sections 6.2.2 and 5.2.4). Slashes are neither merged nor decoded. A path that needs none of it comes back as it is.
 */
export function normalisePath(path: string): string {
  if (path.indexOf('%') === -1 && path.indexOf('/.') === -1) return path;
  return removeDotSegments(decodeUnreserved(path));
}

function decodeUnreserved(path: string): string {
  return path.replace(/%([0-9A-Fa-f]{2})/g, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return UNRESERVED.test(character) ? character : escape.toUpperCase();
  });
}

function removeDotSegments(path: string): string {
  if (path.indexOf('/.') === -1) return path;
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1;
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
    if (last && (segment === '.' || segment === '..')) kept.push('');
  }
  return `/${kept.join('/')}`;
}
