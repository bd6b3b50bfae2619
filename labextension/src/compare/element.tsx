// <jan-comparison> and <jan-vote>: a comparison, and a blind vote, as one custom element each.

import type { ComponentChild } from "preact";
import { element, Shell } from "../shell";
import { App } from "./App";
import type { Ballots } from "./ballots";
import type { Store } from "./store";
import css from "./style.css";
import { Vote } from "./Vote";

export class JanComparison extends Shell {
  store: Store | null = null;
  protected readonly css = css;

  protected content(): ComponentChild {
    return this.store && <App store={this.store} />;
  }
}

export class JanVote extends Shell {
  ballots: Ballots | null = null;
  protected readonly css = css;

  protected content(): ComponentChild {
    return this.ballots && <Vote ballots={this.ballots} />;
  }
}

export function make(store: Store): JanComparison {
  const comparison = element("jan-comparison", JanComparison);
  comparison.store = store;
  return comparison;
}

export function makeVote(ballots: Ballots): JanVote {
  const vote = element("jan-vote", JanVote);
  vote.ballots = ballots;
  return vote;
}
