/**
 * AppModule: the composition root, the only place where the line transport, the time application and operations meet.
 */
import type { TlsOptions } from 'node:tls';
import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import {
  type Acceptor,
  type LineServerOptions,
  LineTransportModule,
} from './line-transport/index.js';
import { ACCEPTOR } from './operations/cluster/acceptor.js';
import { type Settings, settings } from './operations/config/settings.js';
import { LoggingModule } from './operations/logging/logging.module.js';
import { LISTENING_SOCKET } from './operations/systemd/listening-socket.js';
import { TLS_OPTIONS } from './operations/tls/tls-options.js';
import { TimeModule } from './time/time.module.js';
import { describeReply, WORDS } from './time/time-protocol.js';

/** Workers have the sockets that the primary accepts; systemd may have opened one to accept from. */
function place(given: Settings, acceptor?: Acceptor, fd?: number): LineServerOptions {
  if (acceptor !== undefined) return { acceptor };
  return fd === undefined ? { host: given.HOST, port: given.PORT } : { fd };
}

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, load: [settings] }),
    LineTransportModule.forRootAsync({
      isGlobal: true,
      inject: [
        settings.KEY,
        { token: TLS_OPTIONS, optional: true },
        { token: ACCEPTOR, optional: true },
        { token: LISTENING_SOCKET, optional: true },
      ],
      useFactory: (given: Settings, tls?: TlsOptions, acceptor?: Acceptor, fd?: number) => ({
        ...place(given, acceptor, fd),
        maxConnections: given.MAX_CONNECTIONS,
        maxConnectionsPerAddress: given.MAX_CONNECTIONS_PER_ADDRESS,
        allowAddresses: given.ALLOW_ADDRESSES,
        denyAddresses: given.DENY_ADDRESSES,
        proxyProtocolTrust: given.PROXY_PROTOCOL_TRUST,
        maxLineBytes: given.MAX_LINE_BYTES,
        maxPendingBytes: given.MAX_PENDING_BYTES,
        maxUnreadBytes: given.MAX_UNREAD_BYTES,
        maxBufferedBytes: given.MAX_BUFFERED_BYTES,
        maxProtocolErrors: given.MAX_PROTOCOL_ERRORS,
        lineGraceMs: given.LINE_GRACE_MS,
        lineTimeoutMs: given.LINE_TIMEOUT_MS,
        writeTimeoutMs: given.WRITE_TIMEOUT_MS,
        idleTimeoutMs: given.IDLE_TIMEOUT_MS,
        shutdownGraceMs: given.SHUTDOWN_GRACE_MS,
        tls,
        words: WORDS[given.LOCALE],
      }),
    }),
    LoggingModule.forRoot({ describeReply }),
    TimeModule.forRootAsync({
      inject: [settings.KEY],
      useFactory: (given: Settings) => given.TIME_ZONE,
    }),
  ],
})
export class AppModule {
  /** @param imports what is there only where it is set, and not even loaded elsewhere */
  static with(imports: DynamicModule[]): DynamicModule {
    return { module: AppModule, imports };
  }
}
