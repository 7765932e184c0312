/**
 * LineTransportModule: makes a LineServer from options, given or injected, and exports it.
 */
import { ConfigurableModuleBuilder, type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ConnectionHooks } from './connection-hooks.js';
import { DirectDispatch } from './direct-dispatch.js';
import { LINE_SERVER_OPTIONS, type LineServerOptions } from './line-options.js';
import { LineServer } from './line-server.js';

const { ConfigurableModuleClass, OPTIONS_TYPE } = new ConfigurableModuleBuilder<LineServerOptions>({
  optionsInjectionToken: LINE_SERVER_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setExtras({ isGlobal: false }, (definition, { isGlobal }) => ({
    ...definition,
    global: isGlobal,
  }))
  .build();

/**
 * `LineTransportModule.forRoot(options)` or `.forRootAsync({ imports, inject, useFactory })`; with `isGlobal: true` the
 * server can be injected everywhere.
 */
@Module({
  imports: [DiscoveryModule],
  providers: [LineServer, ConnectionHooks, DirectDispatch],
  exports: [LineServer],
})
export class LineTransportModule extends ConfigurableModuleClass {
  /** @param options the server's options; each has a default */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }
}
