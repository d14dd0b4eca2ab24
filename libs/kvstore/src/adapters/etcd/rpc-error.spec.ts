import { type ServiceError, status } from '@grpc/grpc-js';
import { etcdError, isStaleAuth, rpcError } from './rpc-error.ts';

const subject = { endpoint: 'https://a:2379', verb: 'put', object: 'k' };
const error = (code: status, details: string): ServiceError => Object.assign(new Error(details), { code, details }) as ServiceError;

describe('rpcError', () => {
  it.each([
    [status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted', 'KV_COMPACTED'],
    [status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision is a future revision', 'KV_REVISION_AHEAD'],
    [status.RESOURCE_EXHAUSTED, 'etcdserver: mvcc: database space exceeded', 'KV_QUOTA'],
    [status.INVALID_ARGUMENT, 'etcdserver: request is too large', 'KV_TOO_LARGE'],
    [status.RESOURCE_EXHAUSTED, 'grpc: received message larger than max (2 vs. 1)', 'KV_TOO_LARGE'],
    [status.PERMISSION_DENIED, 'etcdserver: permission denied', 'KV_PERMISSION'],
    [status.NOT_FOUND, 'etcdserver: requested lease not found', 'KV_LEASE_LOST'],
    [status.RESOURCE_EXHAUSTED, 'etcdserver: too many requests', 'KV_OVERLOADED'],
    [status.INVALID_ARGUMENT, 'etcdserver: user name is empty', 'KV_UNAUTHENTICATED'],
    [status.UNAVAILABLE, 'No connection established. Last error: self-signed certificate in certificate chain', 'KV_UNAUTHENTICATED'],
    [status.UNAVAILABLE, 'No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1', 'KV_UNREACHABLE'],
    [status.UNAVAILABLE, 'etcdserver: no leader', 'KV_UNREACHABLE'],
    [status.DEADLINE_EXCEEDED, 'Deadline exceeded', 'KV_TIMEOUT'],
    [status.INVALID_ARGUMENT, 'etcdserver: duplicate key given in txn request', 'KV_REQUEST'],
  ])('turns %s %j into %s', (code, details, expected) => {
    const coded = rpcError(error(code, details), subject);
    expect(coded).toMatchObject({ code: expected, object: 'k' });
    expect(coded.message).toContain('put k at https://a:2379');
    expect(coded.action).not.toBe('');
  });

  it('reads reasons that come without a status, and knows what to ask again', () => {
    expect(etcdError('etcdserver: permission denied', subject).code).toBe('KV_PERMISSION');
    expect(isStaleAuth(error(status.INVALID_ARGUMENT, 'etcdserver: revision of auth store is old'))).toBe(true);
    expect(isStaleAuth(error(status.INVALID_ARGUMENT, 'etcdserver: user name is empty'))).toBe(false);
  });
});
