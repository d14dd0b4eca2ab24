/** The agent's API on its unix socket, as the commands see it. */
export interface AgentApi {
  /**
   * Asks for what lies at a path.
   * @returns the answer, parsed
   * @throws CodedError CLI_AGENT_DOWN, CLI_AGENT_DENIED, CLI_AGENT_ANSWER, or what the agent refused with
   */
  get(path: string): Promise<unknown>;
  /** Asks the agent to do something. @param body sent as JSON. @returns the answer, parsed. @throws CodedError as {@link get} */
  post(path: string, body: unknown): Promise<unknown>;
  /** The same of an answer that is no JSON, as it is. @throws CodedError as {@link get} */
  text(path: string): Promise<string>;
  /**
   * Reads an answer that has no end, one JSON value a line. Ends when the signal aborts.
   * @throws CodedError as {@link get}; CLI_AGENT_DOWN when the agent goes away
   */
  lines(path: string, signal: AbortSignal): AsyncIterable<unknown>;
}
