// Starts a dashboard's page.

import { Board } from "./board.js";
import { Editing } from "./edit/editing.js";

const board = new Board(document.getElementById("board"));
new Editing(board);
document.documentElement.dataset.board = "";
