import assert from "node:assert/strict";
import { test } from "node:test";

import { csvOf } from "../../../assets/page/csv.mjs";

test("tables quote what needs it, and hand no formula to spreadsheets", () => {
  const rows = [["a,b", 'say "x"'], ["=1+1", -2.5], [" ＋1", NaN], ["\u2212x", null]];
  assert.equal(csvOf(rows), '"a,b","say ""x"""\n\'=1+1,-2.5\n\' ＋1,\n\'\u2212x,\n');
});
