export { CaDirectory } from './adapters/ca-directory.ts';
export { CertificatePair, type PairPaths } from './adapters/certificate-pair.ts';
export {
  type ClusterPkiOptions,
  type ClusterPkiPaths,
  type ControlPlaneName,
  clusterPki,
  clusterPkiPaths,
  controlPlanePairs,
} from './adapters/cluster-pki.ts';
export { ClustermeshConfigDirectory, type EtcdClientFiles } from './adapters/clustermesh-config-directory.ts';
export { EpochKeyFolder, type EpochKeys } from './adapters/epoch-key-folder.ts';
export { type CredentialPaths, FileCredential } from './adapters/file-credential.ts';
export { FileTokenStore } from './adapters/file-token-store.ts';
export { JOIN_API_ANSWER, JOIN_API_UNREACHABLE, JOIN_API_UNTRUSTED } from './adapters/join-client.errors.ts';
export { JoinClient, type JoinClientOptions } from './adapters/join-client.ts';
export {
  KEY_FILE_MISSING,
  KEY_FILE_OPEN,
  makePrivateFolder,
  readCertificateFile,
  readIfPresent,
  readKeyFile,
  writeCertificateFile,
  writeFileAtomically,
  writeKeyFile,
} from './adapters/key-file.ts';
export { type NodeFiles, nodeFiles, writeNodeFiles } from './adapters/node-files.ts';
export { PairExchangeClient, type PairExchangeClientOptions } from './adapters/pair-exchange-client.ts';
export { PairExchangeServer, type PairExchangeServerOptions } from './adapters/pair-exchange-server.ts';
export { PairSecretFolder } from './adapters/pair-secret-folder.ts';
export { systemRandomBytes } from './adapters/random-bytes.ts';
export { UapiWireGuard, WIREGUARD_SOCKETS } from './adapters/uapi-wireguard.ts';
export { type RunProgram, WgTool } from './adapters/wg-tool.ts';
export { HIDDEN, hideSecrets } from './hide-secrets.ts';
export { type ConnectOutcome, connectClusters } from './join/connect-clusters.ts';
export {
  CERTIFICATE_KEEPING,
  type Credential,
  type CredentialEvent,
  type CredentialFiles,
  CredentialKeeper,
  type CredentialKeeperOptions,
  type CredentialState,
} from './join/credential-keeper.ts';
export { enrolNode, type NodeCredentials } from './join/enrol-node.ts';
export type { JoinApi } from './join/join-api.ts';
export * from './join/join-wire.ts';
export { bundlesMeet, caPin, checkBundle, MAX_CAS_IN_BUNDLE, mergeBundles, pinnedCa, splitPem } from './pki/ca-bundle.ts';
export { type CertificateFacts, certificateFacts } from './pki/certificate-facts.ts';
export { certificateProblem, type RenewalFailure } from './pki/certificate-problem.ts';
export {
  agentProfile,
  CA_VALIDITY_MS,
  type CertificateProfile,
  clientNames,
  clientProfile,
  DAY_MS,
  etcdServerProfile,
  joinServerProfile,
  LEAF_VALIDITY_MS,
  type ServerNames,
  spiffeNodeId,
} from './pki/certificate-profile.ts';
export { type KeyAndRequest, newKeyAndRequest, type RequestedNames, requestForKey } from './pki/certificate-request.ts';
export { type CaKeyPair, createClusterCa, createSuccessorCa, type NewCa } from './pki/cluster-ca.ts';
export { keyBelongsTo } from './pki/key-pair.ts';
export { type NodeTrust, nodeNamedBy, nodeOfCertificate } from './pki/node-of-certificate.ts';
export * from './pki/pki.errors.ts';
export { ageOf, type CertificateAge, type Dates, lookAgainMs, renewAt, renewalDue, renewedBy } from './pki/renewal.ts';
export { type Revocation, revocationList } from './pki/revocation-list.ts';
export { type SigningOrder, signRequest } from './pki/sign-request.ts';
export { type Expectation, verifyCertificate } from './pki/verify-certificate.ts';
export { TOKEN_EXPIRED, TOKEN_KIND, TOKEN_UNKNOWN, TOKEN_USED } from './token/token.errors.ts';
export {
  type RandomBytes,
  TOKEN_TTL_MS,
  TokenLedger,
  type TokenLedgerOptions,
  type TokenOrder,
  type TokenUse,
} from './token/token-ledger.ts';
export { MemoryTokenStore, type TokenKind, type TokenRecord, type TokenStore } from './token/token-store.ts';
export { formatToken, parseToken, type TokenText } from './token/token-text.ts';
export { byCluster, mayFollow, nextWanted, type PastChange } from './wireguard/adoption.ts';
export {
  deviceOf,
  type Epoch,
  isEpoch,
  mayJoinAt,
  meetingTarget,
  type WireGuardDevice,
} from './wireguard/epoch.ts';
export { MeetingPatience } from './wireguard/meeting-patience.ts';
export {
  type ClusterTarget,
  hasNewsOfWanted,
  type LiveEpochs,
  type MeshTarget,
  meshTarget,
  type WantedEpoch,
} from './wireguard/mesh-target.ts';
export {
  leftBehind,
  newTarget,
  nodesBehind,
  presentTarget,
  rotationBlocked,
  rotationStays,
  rotationWaits,
} from './wireguard/next-target.ts';
export {
  type Encapsulated,
  encapsulateFor,
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_BYTES,
  KemKey,
  kemKeyHash,
} from './wireguard/preshared/ml-kem.ts';
export { PairAgreements, type WantedAgreement } from './wireguard/preshared/pair-agreements.ts';
export type { PairAnswer, PairExchange, PairRequest } from './wireguard/preshared/pair-exchange.ts';
export { type PairSecret, pairPsk, pskConfirmation } from './wireguard/preshared/pair-psk.ts';
export {
  type PairKeys,
  type PairSecretStore,
  PairSecrets,
  type Proposal,
  type StoredPair,
  type StoredPairs,
} from './wireguard/preshared/pair-secrets.ts';
export { type LookPace, lookPace } from './wireguard/rotation/look-pace.ts';
export { Rotation, type RotationTimes } from './wireguard/rotation/rotation.ts';
export type { RotationAction } from './wireguard/rotation/rotation-action.ts';
export { type KeyStore, type PeerPlace, RotationRunner, type RotationRunnerOptions } from './wireguard/rotation/rotation-runner.ts';
export type { DeviceView, InstalledPeer, PeerView, RotationView } from './wireguard/rotation/rotation-view.ts';
export { hasLeft, kemKeyHashOf, keyOf, recordWithoutEpochs, type WireGuardRecord } from './wireguard/rotation/wireguard-record.ts';
export * from './wireguard/wireguard.errors.ts';
export { parsePublicKey, WireGuardKey } from './wireguard/wireguard-key.ts';
export { checkPodMtu, wireguardMtu } from './wireguard/wireguard-mtu.ts';
export type {
  WireGuardDeviceSettings,
  WireGuardDeviceState,
  WireGuardKeepalive,
  WireGuardPeer,
  WireGuardPeerState,
  WireGuardPort,
} from './wireguard/wireguard-port.ts';
