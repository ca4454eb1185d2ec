import fc from "fast-check";

/** Where a change is judged the same cases are tried each time; at a desk new ones. */
if (process.env.CI) fc.configureGlobal({ seed: 1 });
