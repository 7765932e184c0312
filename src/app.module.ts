/**
 * AppModule: the composition root, the only place where the line transport, the time application and operations meet.
 */
import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { LineTransportModule } from './line-transport/index.js';
import { type Settings, settings } from './operations/config/settings.js';
import { LoggingModule } from './operations/logging/logging.module.js';
import { TimeModule } from './time/time.module.js';
import { describeReply, WORDS } from './time/time-protocol.js';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, load: [settings] }),
    LineTransportModule.forRootAsync({
      isGlobal: true,
      inject: [settings.KEY],
      useFactory: (given: Settings) => ({
        host: given.HOST,
        port: given.PORT,
        maxConnections: given.MAX_CONNECTIONS,
        maxConnectionsPerAddress: given.MAX_CONNECTIONS_PER_ADDRESS,
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
