/** Node's error codes of a connection attempt as entries of the error table. The only place that knows errno names. */
import type { ErrorCode } from '../domain/errors.ts';

/**
 * What a failed attempt to connect (and to secure the connection) means.
 * @param wasReached connections to the same address have been made before
 */
export function connectFailure(code: string, wasReached: boolean): ErrorCode {
  switch (code) {
    case 'ECONNREFUSED':
      return 'connectRefused';
    case 'ETIMEDOUT':
      return 'connectTimeout';
    // Descriptors of the process or the system, or memory for sockets: used up here, whatever the backend does.
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'ENOMEM':
      return 'socketsExhausted';
    // So are ports towards this address; but an IPv6 address that this machine, without one of its own, can never reach fails by the same.
    case 'EADDRNOTAVAIL':
      return wasReached ? 'socketsExhausted' : 'connectFailed';
    default:
      // Node's own and OpenSSL's: ERR_TLS_CERT_ALTNAME_INVALID, ERR_SSL_WRONG_VERSION_NUMBER, and X509 verify codes by their names.
      return /^ERR_(TLS|SSL)_|CERT|SELF_SIGNED|UNABLE_TO_/.test(code) ? 'tlsFailed' : 'connectFailed';
  }
}
