/**
 * TlsModule: the line server's TLS options from the files that the settings name, which may change while it runs. Loaded only where
 * TLS is set. Needs the settings, the log and a LineServer.
 */
import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { TlsCertificate } from './tls-certificate.js';
import { TlsExpiry } from './tls-expiry.js';
import { TLS_OPTIONS } from './tls-options.js';
import { TlsReload } from './tls-reload.js';

@Module({})
export class TlsModule {
  constructor(@Inject(TlsReload) private readonly files: TlsReload) {}

  static forRoot(): DynamicModule {
    return {
      module: TlsModule,
      global: true,
      providers: [
        TlsCertificate,
        TlsExpiry,
        TlsReload,
        {
          provide: TLS_OPTIONS,
          inject: [TlsCertificate],
          useFactory: ({ options }: TlsCertificate) => options,
        },
      ],
      exports: [TLS_OPTIONS, TlsCertificate],
    };
  }

  /** Takes up the files as they are now, and says in the log what came of it. */
  reload(): void {
    this.files.reload();
  }
}
