// SPDX-License-Identifier: Apache-2.0
//
// What the plugin itself refuses: our code, the number of the CNI specification (section "Error"; from 100 on they are the plugin's
// own), when, and what to do. docs/errors.md is printed from this list, like from those of the other processes.

#pragma once

struct error {
  const char *code;
  int number;
  const char *meaning, *action;
};

static const struct error VERSION_UNSUPPORTED = {
    "CNI_VERSION_UNSUPPORTED", 1, "The CNI configuration is of a version of the specification that the plugin does not speak.",
    "Set cniVersion in the CNI configuration to one of those that the message lists."};

static const struct error ENVIRONMENT = {"CNI_ENVIRONMENT", 4,
                                         "The CNI plugin was called with an environment variable missing or malformed.",
                                         "Set it as the CNI specification says; whoever calls the plugin is at fault."};

static const struct error INPUT_UNREADABLE = {"CNI_INPUT_UNREADABLE", 5,
                                              "The CNI plugin cannot read the network configuration from its standard input.",
                                              "Pass one JSON object of at most 1 MiB on standard input."};

static const struct error CONFIG_MALFORMED = {
    "CNI_CONFIG_MALFORMED", 6, "The network configuration that the CNI plugin reads from its standard input is not a JSON object.",
    "Correct the file in /etc/cni/net.d, or whatever the runtime makes the configuration from."};

static const struct error CONFIG_INVALID = {"CNI_CONFIG_INVALID", 7, "A setting of the CNI configuration cannot be used.",
                                            "Correct the setting that the message names."};

static const struct error AGENT_UNREACHABLE = {
    "CNI_AGENT_UNREACHABLE", 11, "The CNI plugin does not reach the agent of its node. STATUS says so with number 50.",
    "Start the isthmus agent on this node, or name its socket: socketPath in the CNI configuration."};

static const struct error AGENT_DENIED = {"CNI_AGENT_DENIED", 100,
                                          "The CNI plugin may not open the agent's socket. STATUS says so with number 50.",
                                          "Run the plugin as root, as container runtimes do."};

static const struct error QUEUE_UNUSABLE = {"CNI_QUEUE_UNUSABLE", 11,
                                            "The CNI plugin does not reach the agent and cannot queue a deletion for it.",
                                            "Start the isthmus agent on this node: it empties the queue; then DEL again."};

static const struct error AGENT_ANSWER = {
    "CNI_AGENT_ANSWER", 100, "The agent gave the CNI plugin an answer that is none to a CNI call.",
    "Read the log of the agent; plugin and agent may be of versions that do not go together."};
