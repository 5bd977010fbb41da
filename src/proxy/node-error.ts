/** Node's error codes of a connection attempt as entries of the error table. The only place that knows errno names. */
import type { ErrorCode } from '../domain/errors.ts';

/** What a failed attempt to connect (and to secure the connection) means. */
export function connectFailure(code: string): ErrorCode {
  switch (code) {
    case 'ECONNREFUSED':
      return 'connectRefused';
    case 'ETIMEDOUT':
      return 'connectTimeout';
    // Descriptors of the process or the system, memory for sockets, or ports towards this address: used up here, whatever the backend does.
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'ENOMEM':
    case 'EADDRNOTAVAIL':
      return 'socketsExhausted';
    default:
      // Node's own and OpenSSL's: ERR_TLS_CERT_ALTNAME_INVALID, ERR_SSL_WRONG_VERSION_NUMBER, and X509 verify codes by their names.
      return /^ERR_(TLS|SSL)_|CERT|SELF_SIGNED|UNABLE_TO_/.test(code) ? 'tlsFailed' : 'connectFailed';
  }
}
