/** ChatModule: the controller, and a server with room for a hundred guests, who may listen in silence for as long as they like. */
import { Module } from '@nestjs/common';
import { LineTransportModule } from '../../src/line-transport/index.js';
import { ChatController } from './chat.controller.js';

@Module({
  imports: [LineTransportModule.forRoot({ port: 45_000, maxConnections: 100, idleTimeoutMs: 0 })],
  controllers: [ChatController],
})
export class ChatModule {}
