"""Numbers -> verdict: rules, the monitor that runs them, the policy of their limits. No torch, no I/O."""
