// Tells the browser's time zone where the reader has not chosen one yet: with the press of Confirm, or in the settings.
"use strict";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const told = document.querySelector("input[data-zone]");
const select = document.querySelector("select[data-guess]");

if (told && zone) {
  told.value = zone;
}
if (select && select.value === "UTC" && zone !== "UTC" && Array.from(select.options).some((option) => option.value === zone)) {
  select.value = zone;
  document.getElementById("zone-guess").textContent = select.dataset.guess;
}
