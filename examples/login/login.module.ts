/** LoginModule: a server that greets whoever connects, and the accounts it knows. */
import { Module } from '@nestjs/common';
import { LineTransportModule } from '../../src/line-transport/index.js';
import { Accounts } from './accounts.service.js';
import { LoginController } from './login.controller.js';

@Module({
  imports: [LineTransportModule.forRoot({ port: 45_000, greeting: 'HELLO. Who is there?' })],
  controllers: [LoginController],
  providers: [Accounts],
})
export class LoginModule {}
