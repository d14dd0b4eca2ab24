import { Controller, Get } from '@nestjs/common';
import { openApiDocument } from './openapi.ts';

/** The description of the API; the one thing that may be read without a credential. */
@Controller()
export class OpenApiController {
  @Get('openapi.json')
  document(): object {
    return openApiDocument();
  }
}
