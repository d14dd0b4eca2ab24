import { CodedError, defineError } from '../coded-error.ts';
import { errorFields } from './logger.ts';

const KIND = defineError('LOGGER_SPEC', 'A test raises it.', 'Nothing.');

describe('errorFields', () => {
  it('shows coded errors as APIs do', () => {
    const cause = Object.assign(new Error('refused'), { password: 'secret' });
    expect(errorFields(new CodedError(KIND, 'no', { object: 'x', cause }))).toEqual({
      code: 'LOGGER_SPEC',
      message: 'no',
      object: 'x',
      action: 'Nothing.',
      cause: 'refused',
    });
  });

  it('shows message and stack of all others, and none of their fields', () => {
    const error = Object.assign(new TypeError('oops'), { password: 'secret' });
    expect(errorFields(error)).toEqual({ message: 'oops', stack: expect.stringContaining('TypeError: oops') });
    expect(errorFields('text')).toEqual({ message: 'text' });
    expect(errorFields(undefined)).toEqual({ message: 'undefined' });
  });
});
