// Nest's decorators keep their metadata here; an application gets it from @nestjs/core.
import 'reflect-metadata';
