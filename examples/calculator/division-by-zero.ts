/**
 * DivisionByZero: an error of this protocol. The client is told the message of an RpcException, and of no other defect.
 */
import { RpcException } from '@nestjs/microservices';

export class DivisionByZero extends RpcException {
  constructor() {
    super('nothing can be divided by zero');
  }
}
