/**
 * What systemd says to a process that it starts, and to none that this one starts in turn: sd_listen_fds(3), sd_notify(3) and
 * sd_watchdog_enabled(3).
 */
export const SYSTEMD_VARIABLES = [
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
  'NOTIFY_SOCKET',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
] as const;
