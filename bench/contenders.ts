/**
 * The servers that are compared: how each is started, what it is asked, and how its reply is known. Knows nothing of measuring.
 */
import { userInfo } from 'node:os';
import { compiled, inRepository } from './programs.js';

export interface Contender {
  /** What must be installed; Node is. */
  readonly program?: string;
  readonly command: (port: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly request: string;
  readonly reply: RegExp;
  /** The last byte of every reply, and of nothing else. */
  readonly replyEnd: string;
  /** What ends a conversation. */
  readonly goodbye: string;
  readonly isTls?: boolean;
}

const LINES = {
  request: 'TIME\r\n',
  reply: /^JAM \d\d:\d\d:\d\d\r\n$/,
  replyEnd: '\n',
  goodbye: 'QUIT\r\n',
};

/** What a client of Nest's TCP transport sends. */
const PACKET = '{"pattern":"TIME","data":"","id":"1"}';

function ofBench(file: string, form = ''): Contender {
  const command = (): readonly string[] => [process.execPath, compiled(`servers/${file}.js`)];
  return { ...LINES, command, env: { FORM: form }, isTls: form === 'tls' };
}

function burning(workers: number): Contender {
  return {
    ...ofBench('line-server', `workers ${workers}`),
    request: 'BURN\r\n',
    reply: /^-?\d+\r\n$/,
  };
}

function service(env: Readonly<Record<string, string>>): Contender {
  return {
    ...LINES,
    command: () => [process.execPath, inRepository('dist/main.js')],
    env: { HOST: '127.0.0.1', MAX_CONNECTIONS: '1000000', ...env },
  };
}

export const CONTENDERS = {
  bare: ofBench('bare'),
  service: service({ LOG_LEVEL: 'silent' }),
  'service, logging': service({ LOG_REQUESTS: 'true', LOG_CLIENT_RATE: '0' }),
  'LineServer, direct': ofBench('line-server', 'auto'),
  'LineServer, pipeline': ofBench('line-server', 'pipeline'),
  'LineServer, 3 enhancers': ofBench('line-server', 'enhancers'),
  "bare + Nest's wrapper": ofBench('nest-wrapper'),
  'Nest TCP': {
    ...ofBench('nest-tcp'),
    request: `${PACKET.length}#${PACKET}`,
    reply: /^\d+#\{.*"response":"JAM .*\}$/,
    replyEnd: '}',
  },
  'Python, logging': {
    ...LINES,
    program: 'python3',
    command: (port) => ['python3', inRepository('bench/servers/threads.py'), port],
  },
  Redis: {
    program: 'redis-server',
    command: (port) => [
      ...`redis-server --port ${port} --bind 127.0.0.1 --appendonly no --save`.split(' '),
      '',
    ],
    request: 'PING\r\n',
    reply: /^\+PONG\r\n$/,
    replyEnd: '\n',
    goodbye: 'QUIT\r\n',
  },
  memcached: {
    program: 'memcached',
    command: (port) => [
      ...`memcached -l 127.0.0.1 -p ${port} -U 0 -t 1 -c 4096 -u`.split(' '),
      userInfo().username,
    ],
    request: 'version\r\n',
    reply: /^VERSION .*\r\n$/,
    replyEnd: '\n',
    goodbye: 'quit\r\n',
  },
  'bare, TLS': ofBench('bare', 'tls'),
  'LineServer, TLS': ofBench('line-server', 'tls'),
  '1 worker': burning(1),
  '2 workers': burning(2),
} satisfies Readonly<Record<string, Contender>>;

export type ContenderName = keyof typeof CONTENDERS;

export function contender(name: ContenderName): Contender {
  return CONTENDERS[name];
}
