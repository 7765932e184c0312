/**
 * What each setting is for, with unit, bounds and default: the words of --help, and of .env.example. Knows nothing of how settings
 * are checked, so that --help need not load what that takes.
 */
import type { Settings } from './settings.js';

/** Every setting, in the order in which they are told. */
export const SETTING_DESCRIPTIONS: Readonly<Record<keyof Settings, string>> = {
  HOST: 'Address or name to listen on. Default: every IPv4 and IPv6 interface.',
  PORT: 'TCP port to listen on, from 0 to 65535; 0 takes any free one. Default: 45000.',
  WORKERS:
    'Processes that serve, from 1 to 1024; auto takes one for each core. More than one need a primary process beside them. Default: 1.',
  MANAGEMENT_HOST: 'Address or name of the management port. Default: 127.0.0.1, this machine only.',
  MANAGEMENT_PORT:
    'TCP port of /livez, /readyz and /metrics, from 0 to 65535; 0 takes any free one. Default: none; then there is no such port.',
  TIME_ZONE:
    "Whose local time is told: an IANA name such as Asia/Jakarta. Default: the zone of the process (TZ, or the system's).",
  LOCALE: 'Language of the log and of the error lines to clients: id or en. Default: id.',
  LOG_LEVEL:
    'The least important events that are logged: info or debug or warn or error or silent. Default: info.',
  LOG_FORMAT: "Form of the log's lines: text or json. Default: text.",
  LOG_REQUESTS:
    'Whether every line received and every reply sent is logged: true or false. Default: true.',
  LOG_CLIENT_RATE:
    'Log lines a second that the lines of one client may fill, ten times as many at once, from 0 to 1000000; 0 is no limit. Default: 1000.',
  TLS_KEY_FILE:
    'File with the TLS private key (PEM); with it, and a certificate, only TLS is spoken. Default: none, plain TCP.',
  TLS_CERT_FILE:
    'File with the TLS certificate and those it is signed by (PEM), the own one first. Default: none.',
  TLS_CLIENT_CA_FILE:
    "File with the certificates (PEM) that clients' certificates must be signed by. Default: none; clients need no certificate.",
  TLS_KEY_PASSPHRASE: 'What the private key is encrypted with. Default: nothing.',
  TLS_MIN_VERSION: 'The oldest TLS version that is spoken: TLSv1.2 or TLSv1.3. Default: TLSv1.2.',
  TLS_HANDSHAKE_TIMEOUT_MS:
    'Milliseconds in which a client must have agreed on TLS, from 1 to 600000. Default: 10000.',
  PROXY_PROTOCOL_TRUST:
    'Proxies that send a PROXY protocol header (addresses or CIDR ranges, separated by commas); others are refused. Default: none; no header.',
  ALLOW_ADDRESSES:
    'Clients that are served (addresses or CIDR ranges, separated by commas). Default: all.',
  DENY_ADDRESSES:
    'Clients that are refused, also of those that are allowed (addresses or CIDR ranges, separated by commas). Default: none.',
  MAX_CONNECTIONS:
    'Connections served at once, from 1 to 1000000; one more is told so and closed. Default: 10000.',
  MAX_CONNECTIONS_PER_ADDRESS:
    'Connections served at once with one address (IPv6: one /64), from 1 to 1000000; one more is refused. Default: 95 % of MAX_CONNECTIONS.',
  MAX_LINE_BYTES:
    'The longest line accepted, in bytes without its line end, from 16 to 1048576. Default: 1024.',
  MAX_PENDING_BYTES:
    'Input of one client that may wait for its answers, in bytes from 1024 to 1073741824; beyond it, it is not read. Default: 65536.',
  MAX_UNREAD_BYTES:
    'Replies that one client has not read, in bytes from 1024 to 1073741824; beyond it, it is not answered. Default: 65536.',
  MAX_BUFFERED_BYTES:
    'Both of these for all clients together, in bytes from 65536 to 1099511627776; beyond it, the greediest wait. Default: 268435456.',
  MAX_PROTOCOL_ERRORS:
    'Error lines in a row after which a client is told so and closed, from 0 to 1000000; 0 is never. Default: 0.',
  LINE_GRACE_MS:
    'Milliseconds after which a command that came without a line end is answered, from 0 to 60000; 0 is never. Default: 200.',
  LINE_TIMEOUT_MS:
    'Milliseconds that a line may take from its first byte to its end, from 0 to 86400000; 0 is for ever. Default: 60000.',
  WRITE_TIMEOUT_MS:
    'Milliseconds in which a client may take nothing of its replies, from 0 to 86400000; 0 is for ever. Default: 60000.',
  IDLE_TIMEOUT_MS:
    'Milliseconds a client may be silent before it is told so and closed, from 0 to 86400000; 0 is for ever. Default: 600000.',
  SHUTDOWN_DELAY_MS:
    'Milliseconds that it serves on after a signal, but is not ready, so that balancers turn away first, from 0 to 600000. Default: 0.',
  SHUTDOWN_GRACE_MS:
    'Milliseconds that conversations may take to be finished at shutdown before they are cut, from 0 to 600000. Default: 10000.',
  REQUIRE_CLOCK_SYNC:
    'Whether /readyz says no while the clock of the machine is known not to be synchronized: true or false. Default: false.',
};

/** What must not be read by others. It is hidden where settings are printed, and never on a command line, which everybody can read. */
export const SECRET_SETTINGS: readonly string[] = ['TLS_KEY_PASSPHRASE'];
