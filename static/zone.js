// Chooses the browser's time zone where the reader has not chosen one yet, and says so.
"use strict";

const select = document.querySelector("select[data-guess]");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

if (select && select.value === "UTC" && zone !== "UTC" && Array.from(select.options).some((option) => option.value === zone)) {
  select.value = zone;
  document.getElementById("zone-guess").textContent = select.dataset.guess;
}
