
"use strict";

const selects = ["left", "right"].map((side) => document.getElementById(side));
const names = Array.from(selects[0].options, (option) => option.text);

const stages = Array.from(document.querySelectorAll(".stage"), (stage) => ({
  stage,
  slider: stage.querySelector("input"),
  sides: ["left", "right"].map((side) => stage.querySelector("." + side)),
  // In the order of the columns: left and right hold the first two, the rest comes after.
  pictures: Array.from(stage.querySelectorAll("img")),
}));

let shown = [0, 1];

function move({ stage, slider }) {
  const percent = Number(slider.value);
  stage.style.setProperty("--at", percent + "%");
  const [left, right] = shown.map((column) => names[column]);
  const rounded = Math.round(percent);
  slider.setAttribute("aria-valuetext", `${rounded}% ${left}, ${100 - rounded}% ${right}`);
}

function show(columns) {
  shown = columns;
  columns.forEach((column, side) => {
    selects[side].value = column;
    for (const { sides, pictures } of stages) {
      sides[side].prepend(pictures[column]);
      sides[side].querySelector(".name").textContent = names[column];
    }
  });
  for (const { stage, pictures } of stages) {
    const rest = pictures.filter((_, column) => !columns.includes(column));
    stage.querySelector(".rest").replaceChildren(...rest);
  }
  stages.forEach(move);
}

selects.forEach((select, side) => {
  select.addEventListener("change", () => {
    const columns = [...shown];
    columns[side] = Number(select.value);
    // One column on both sides shows no difference: the other side takes what stood here.
    if (columns[0] === columns[1]) columns[1 - side] = shown[side];
    show(columns);
  });
});
document.getElementById("swap").addEventListener("click", () => show([shown[1], shown[0]]));
for (const entry of stages) entry.slider.addEventListener("input", () => move(entry));
show(shown);
