/**
 * KeyValueModule: commands in any case, error lines in the protocol's own form.
 */
import { Module } from '@nestjs/common';
import { LineTransportModule } from '../../src/line-transport/index.js';
import { KeyValueController } from './key-value.controller.js';
import { Store } from './store.service.js';
import { WORDS } from './words.js';

@Module({
  imports: [LineTransportModule.forRoot({ port: 45_000, ignoreCase: true, words: WORDS })],
  controllers: [KeyValueController],
  providers: [Store],
})
export class KeyValueModule {}
