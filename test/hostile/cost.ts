// Loaded into a program under test by NODE_OPTIONS: writes what it cost to the file that LOGVANE_TEST_COST names.
import { writeFileSync } from "node:fs";

process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const cost = { cpu: (userCPUTime + systemCPUTime) / 1e6, peak: maxRSS * 1024 };
  writeFileSync(process.env["LOGVANE_TEST_COST"]!, JSON.stringify(cost));
});
