"""What jan-mini says about ``jan_jupyter``: each answer, and the wordings of the questions it answers.

Every sentence here has to stay true of the package: whoever renames a command, an option or a field mends
it here and trains again.

A pattern that starts with ``to`` is something that people want to do, and one that starts with ``about`` is
a subject: ``DO`` and ``ABOUT_TOOL`` in wordings.py say how people ask for either. Other patterns stand as they are.
"""

# Tables: their entries stay as they are written, since wrapped lines would only hide them.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

MODEL_JSON = """```json
{
  "id": "my-model",
  "engine": "nitro",
  "sources": [{"filename": "my-model.gguf", "url": "my-model.gguf"}],
  "settings": {"ctx_len": 4096},
  "parameters": {"temperature": 0.7, "max_tokens": 512}
}
```"""

# "the tool" as people name it.
IT = "(jan_jupyter|jan_jupyter|jan-jupyter|jan|Jan|this tool|this extension|it|this)"


TOOL: dict[str, tuple[str, tuple[str, ...]]] = {
    "install": (
        "In the repository, `make demo` sets up all that it takes. To install it into an environment of your own:\n\n"
        "```bash\npip install .\n```\n\nThen load it in the notebook with `%load_ext jan_jupyter`.",
        (
            "to (install|get|set up|download) (jan_jupyter|jan-jupyter|jan|this tool|this extension)",
            "how is (jan_jupyter|jan-jupyter|jan|this tool|this extension) installed",
            "(install|installation) [of] (jan_jupyter|jan-jupyter|jan|this extension)",
            "to (install|set up|get) (it|this|jan|the package) [with pip|on my machine|in my environment|in my venv]",
            "about (installation|installing it|the install|setup)",
            "where can I get (jan_jupyter|this extension)", "(make demo|pip install)", "what (does|is) make demo[ do]", "how do I try it out",
        ),
    ),
    "load_ext": (
        "Load the extension in a notebook cell:\n\n```python\n%load_ext jan_jupyter\n```\n\n"
        "After that, `%jan` and `%%jan` work in this notebook.",
        (
            "to (load|start|enable|activate|turn on|begin with|get started with|switch on) "
            "(jan_jupyter|jan|this extension|the extension|the magic|the jan magic|it|this tool)",
            "how is the extension loaded", "which command loads the extension",
            "what does (`%load_ext jan_jupyter`|%load_ext) do",
            "what is `%load_ext jan_jupyter` for", "the %%jan (magic|cell) is not found",
            "(getting started|get started|quick start|quickstart|first steps)",
            "how do I (start|begin)", "UsageError: Cell magic `%%jan` not found",
            "what (do I|should I|must I) do first", "load_ext",
            "to (make|get) (%%jan|the magic|the extension|%jan) (work|available|known)", "to (import|initialise|add|activate) (the extension|jan_jupyter|this extension|the magics)",
            "about (loading the extension|the load_ext line|starting with jan)",
            "(%%jan|%jan|the magic|the cell magic) (is not found|does not exist|is unknown|is not known|does not work)", "how do I (start|begin|get going|get started)", "why is (%%jan|%jan|the magic) not (found|known)", "load (the extension|jan_jupyter|jan)",
        ),
    ),
    "what_is": (
        "`jan_jupyter` brings language models into Jupyter notebooks. A cell that starts with `%%jan` sends its "
        "text to a model, and the answer streams in below the cell. Models run on this machine or on a remote "
        "server; each is described by a `model.json` file.",
        (
            "what is (jan_jupyter|jan-jupyter|jan jupyter|this tool|this extension|this package|this)",
            "what does (jan_jupyter|jan-jupyter|this tool|this extension|this package) do",
            "what can (jan_jupyter|this tool|this extension|this package) do",
            "(explain|describe|tell me about) (jan_jupyter|jan-jupyter|this tool|this extension|this package)",
            "what is (jan_jupyter|this tool|this extension) [good] for", "what is this all about",
            "what is the (purpose|point|use) of (jan_jupyter|this tool|this extension)",
            "why (should|would) I use (jan_jupyter|this tool|this extension)",
            "about (jan_jupyter|this tool|this extension|this package|this project)",
            "what (can|could) I do with (it|this|this tool|jan_jupyter|this extension)", "what is (jan|this) in a notebook", "(what|who) is it for", "give me an overview[ of this tool]", "I have never (used|seen) (this|this tool|jan_jupyter), what is it", "what am I looking at", "what (is|does) this (thing|magic)[ do]", "(sum up|summarise) (jan_jupyter|this tool)",
        ),
    ),
    "jan_app": (
        "Jan is an open-source desktop app that runs language models on your own computer. `jan_jupyter` finds the "
        "models that the Jan app has downloaded by itself.",
        (
            "what is (Jan|the Jan app|jan.ai|Jan AI)", "who is jan", "what is the jan (application|program)",
            "(explain|tell me about) the Jan app", "what does the Jan app do",
            "do I need the Jan app", "what has this to do with the Jan app",
            "about (the Jan app|Jan itself|the Jan desktop app)",
            "is (jan_jupyter|this) (part of|the same as|related to) (Jan|the Jan app)", "must I install the Jan app",
        ),
    ),
    "ask": (
        "Start a cell with `%%jan` and write your question below it:\n\n"
        "```text\n%%jan\nWhy is the sky blue?\n```\n\nRun the cell, and the answer streams in below it.",
        (
            "to (ask|send|pose|put) (a question|questions|a prompt|something|a message)[ to a model| to you| to the model]",
            "to (talk to|chat with|prompt|query|use) (a model|the model|you|an LLM|a language model)",
            "to use (%%jan|`%%jan`|the magic|the cell magic|jan_jupyter|jan|this tool|this extension|this)",
            "what (does|is) (%%jan|`%%jan`)[ do]", "what does a %%jan cell do", "what is a %%jan cell",
            "how does (%%jan|`%%jan`|the magic|the cell magic) work", "how does this work",
            "(show me|give me|write) an example of (%%jan|a %%jan cell|the magic)",
            "explain (%%jan|`%%jan`|the %%jan magic)",
            "to (ask|prompt|question|query) (a model|the model|an LLM|an AI|you|the AI) [something|a question]", "to (write|type|enter|make|run|send) (a prompt|my prompt|my question|a question|a %%jan cell|my first prompt|my first question)", "to (get|receive) (an answer|a reply|a response) [from a model|from you|from the model]", "to (begin|start) (a chat|a conversation|chatting)",
            "about (asking a question|prompts in a cell|%%jan cells|the %%jan magic|a first question)",
            "where do I (write|type|put|enter) (my question|my prompt|the prompt|the question|a question)", "how does a (%%jan cell|prompt cell) look", "how is a question asked",
        ),
    ),
    "one_line": (
        "Use `%jan` for a question in one line:\n\n```python\n%jan What is a token?\n```\n\n"
        "For a longer prompt, start a cell with `%%jan`.",
        (
            "to ask [a question] in (one|a single) line", "what (does|is) (%jan|`%jan`)[ do]",
            "is there a line magic", "to use (%jan|`%jan`|the line magic)",
            "what is the difference between (%jan and %%jan|`%jan` and `%%jan`|%%jan and %jan)",
            "(%jan|`%jan`) (or|vs|versus) (%%jan|`%%jan`)", "one-line (question|prompt|magic)",
            "can I ask in one line", "explain (%jan|the line magic)",
            "to (ask|send|write) (a question|a prompt|something|a quick question) (in one line|on one line|on a single line|with the line magic|inline)",
            "about (the line magic|questions in one line)",
            "do I need a whole cell for a question",
        ),
    ),
    "choose": (
        "Name the model after `%%jan`:\n\n```text\n%%jan my-model\nWhy is the sky blue?\n```\n\n"
        "`%jan models` lists what you have, and `%jan use my-model` makes one the default.",
        (
            "to (choose|pick|select|specify|name|set|change|switch|use) "
            "(a model|the model|another model|a different model|which model answers|which model to use|models|my model|an LLM|a bigger model|a larger model|a better model)",
            "(which|what) command (chooses|selects|picks|switches) (a|the) model",
            "to (switch|change) to (another|a different|a larger|a bigger|a better) model",
            "how is (a|the) model (chosen|selected|picked)", "where do I (choose|select|pick|set) (a|the) model",
            "can I (choose|use|pick|select|switch to) (another|a different|a larger|a bigger|a better) model",
            "I want (to use|to try) (another|a different|a larger|a bigger|a better) model",
            "how do I tell (%%jan|jan|it) which model to use", "(choosing|selecting|switching) (a model|models)",
            "how do I use (qwen|llama|gemma|mistral|phi|deepseek)[ with %%jan| in a cell| here]",
            "to (choose|pick|select|specify|name|change|switch|pick out|decide on|define) (a|the|another|my|which|one of the|one of my|a certain|a specific|some other) (model|LLM|language model|AI model|models) [to use|to ask|that answers|for this|to answer me]",
            "to (choose|pick|select|say|decide|specify|determine|tell it) which (model|LLM|language model|one) (answers|to use|is used|replies|is asked|responds|I want|should answer|runs) [me|my cell|in a cell|my question|here]",
            "to (use|ask|try|run|get) (another|a different|some other|a specific|a certain|a particular|one of my) (model|LLM|language model)", "to (switch|change|swap|move) (models|the model|model|between models|LLMs|from one model to another)", "to have (another|a different) model (answer|reply|respond)",
            "about (choosing a model|picking a model|selecting models|model choice|model selection|the choice of model|switching models|changing the model)",
            "(choose|pick|select|switch|change) (model|models|LLM)", "(model choice|model selection|other model|different model)", "where do I (write|put|give|enter|type) the (name of the model|model name|model's name)", "what do I (type|write) after %%jan to (choose|get|pick) a model", "who decides which model answers", "can (a cell|each cell|%%jan) use (another|its own|a different) model", "how does a cell know which model to ask", "I (don't|do not) want this model but another one", "how do I use %%jan with (qwen3|llama|my-model|another model)", "how do I get away from jan-mini",
        ),
    ),
    "default_model": (
        "Set the default model with `%jan use`:\n\n```python\n%jan use my-model\n```\n\n"
        "From then on, `%%jan` without a name asks that model.",
        (
            "to (set|change|choose|pick|define|make) (a|the|my) default model",
            "what (does|is) (%jan use|`%jan use`)[ do]", "to (make|set) a model [as] [the] default",
            "what is the default model", "which model is the default", "default model",
            "to use the same model (every time|in all cells|everywhere|always)",
            "how do I avoid naming the model (each time|every time|in each cell)",
            "to use (%jan use|`%jan use`)", "explain (%jan use|`%jan use`)",
            "to (set|choose|make|fix|change|define|pick|select|configure) (a|the|my|another) (default|standard|usual) (model|LLM)", "to (use|ask|choose|pick|set|select) (one|the same|a|my) model (by default|for all cells|for every cell|from now on|for the whole notebook|permanently|every time|once and for all)", "to make (qwen3|llama|gemma|my-model|a model|this model|my model) (the default|my default|the default model|the standard)",
            "about (the default model|%jan use|setting a default model)",
            "(which|what) (model|one) is used (by default|if I name none|when I name none|without a name)", "do I have to name the model (each time|every time|in each cell)", "use my-model by default", "(default|standard) model",
        ),
    ),
    "list_models": (
        "List your models with:\n\n```python\n%jan models\n```",
        (
            "to (list|see|show|find|view|get) ([all] [the|my] models|which models I have|the available models|all available models|what models there are)",
            "(which|what) models (are there|do I have|can I use|are available|are installed|exist|do you have)",
            "(list|show) [me] [all|the|my] [available] models", "what (does|is) (%jan models|`%jan models`)[ do]",
            "where do I see (my|the|all) models", "is there a list of models", "(models|model list)",
            "(which|what) command (lists|shows) [the|my] models",
            "to (list|see|show|find out|display|print|get|check|look up|know) (which|what) (models|LLMs|language models) (I have|there are|are available|exist|are installed|I can use|can be used|are there)", "to (list|see|show|display|view|get|check|find) (all|all the|all my|my|the|the installed|the available|every) (models|model|LLMs|language models)", "to get a (list|table|overview) of (models|the models|my models|all models|available models)",
            "about (the list of models|available models|installed models|%jan models)",
            "(which|what) (models|LLMs|language models) (are|can I|do I|could I) (there|use|have|installed|available|choose from|ask) [here|now]", "(available|installed|all|my|list) models", "do I have (any|other|more) models", "(show|list|print|display) (all|the|my|available|installed|me all|me my) [available] (models|LLMs)", "what models have I got", "how many models do I have", "how do I see what I can (choose from|use|ask)",
        ),
    ),
    "model_json": (
        "`model.json` describes a model: its `id`, its `engine`, its `sources` (the files), its `settings` (how it is "
        "loaded) and its `parameters` (how it answers).\n\n" + MODEL_JSON + "\n\n"
        "It lies in the model's own folder in the data folder. If it names no engine, `nitro` is used.",
        (
            "what is (model.json|`model.json`|a model.json|the model.json file|a model.json file|model json|this model.json)",
            "what does (model.json|`model.json`|a model.json|the model.json file) (do|contain|look like|mean|describe)",
            "(explain|describe|show me|tell me about) (model.json|`model.json`|a model.json|the model.json file|an example of model.json|an example model.json)",
            "what is (model.json|`model.json`|the model.json file) (for|used for|good for)",
            "what (goes|belongs|stands|is) in (model.json|`model.json`|a model.json|the model.json file)",
            "(which|what) (fields|keys|entries) (does|has|are in) [a|the] model.json[ have| file]",
            "what (fields|keys) are in (model.json|`model.json`)", "why is there a model.json", "model.json",
            "how is a model described", "the model.json (format|schema|fields|file)",
            "what do (settings|sources|parameters) mean in [a|the] model.json",
            "to read a model.json", "example [of a] model.json",
            "to (understand|read|interpret|edit) (model.json|a model.json|the model.json file)",
            "about (model.json|model.json files|the model.json file|the file model.json|the format of model.json|the fields of model.json|`model.json`)",
            "(what is|what's|whats|what exactly is|what actually is) (model.json|a model.json|the model.json|the file model.json|this model.json file|the model.json thing)", "what (is|are) (model.json|model.json files|a model.json) (for|good for|used for|about|there for)", "why do I need (model.json|a model.json|a model.json file)", "do I need (a model.json|model.json)", "what (do I|should I|can I|must I) (write|put) (in|into) (model.json|a model.json|the model.json)", "what (should|must|does) (model.json|a model.json|the model.json) (contain|hold|have|say|tell)", "(meaning|purpose|content|structure|format|schema) of (model.json|the model.json file)", "where (is|lies|do I find) (model.json|the model.json|a model.json)[ file]", "a model.json (example|sample)", "model.json (example|fields|format|meaning|explained|file)", "which file describes a model",
        ),
    ),
    "add_model": (
        "Make a folder for the model in `models` in the data folder, put the GGUF file into it, and write a "
        "`model.json` beside it:\n\n" + MODEL_JSON + "\n\n`%jan models` then lists it.",
        (
            "to (add|import|register|create|define|make|bring in|describe|include) (a model|a new model|my own model|another model|my model|models|a local model|a custom model)",
            "to (write|create|make) (a|my own|my) (model.json|model.json file)",
            "to (use|run|load|add|open|import) (a GGUF|a gguf file|a GGUF file|my own GGUF|my gguf|a GGUF model|a local GGUF file)",
            "can I (use|add|bring|run) my own (model|models|GGUF|GGUF file)", "I have a GGUF file, (what now|how do I use it|what next)",
            "where do I put (a|my|the) (GGUF|GGUF file|gguf|model|model file|model.json)",
            "(adding|importing) (a model|models|my own model)",
            "to (use|add|run|load|open|import|try|bring|ask|set up|register) (my own|a|my|an own|some|a local|a downloaded|an existing|my downloaded) (GGUF|gguf|GGUF file|gguf file|GGUF model|gguf model|.gguf file|model file)", "to (add|bring|set up|make|import|register|install) (my own|own|a custom|a new|a local|another|a further|one more) (model|LLM|language model|models)", "to (make|get) (jan|jan_jupyter|it|this tool|this) (see|find|use|know|run) my (GGUF|gguf|model file|model|own model|GGUF file)",
            "about (my own GGUF|own models|custom models|adding a model|GGUF models of my own|local models of my own)",
            "I (have|downloaded|got) a (GGUF|gguf|.gguf) (file|model)[, what now|, how do I use it|, where does it go|, what do I do with it|: how do I use it]", "where (does|should) (a|my|the) (GGUF|gguf|model) file go", "(own|my own|custom|use) (GGUF|gguf|model|gguf file)", "does it (run|work with|support|accept|take) (my own|any|other|a) (GGUF|gguf|GGUF files|model|models)",
        ),
    ),
    "download": (
        "Download a model with the Jan app: `jan_jupyter` finds it by itself. Or put a GGUF file and a `model.json` "
        "into a folder of their own in `models` in the data folder. `%jan models` lists what is found.",
        (
            "to (download|get|fetch|pull|obtain) (a model|models|more models|new models|a larger model|a bigger model|another model|a better model|other models)",
            "where (do I|can I) (get|find|download) (a model|models|more models|larger models|bigger models)",
            "where do (the|my) models come from", "I need (more|larger|bigger|better|other) models",
            "can I (download|get) [more|other|larger] models", "are there (more|other|larger|bigger) models",
            "to use (models|a model) (from the Jan app|downloaded by Jan|downloaded with Jan|from Jan|that Jan downloaded|I downloaded in Jan)",
            "does it find (models from the Jan app|my Jan models|the models of the Jan app)",
            "(are|will) (my Jan models|models from the Jan app|models downloaded by Jan) [be] found",
            "to (download|get|fetch|find|obtain|install) (a|another|some|more|better|bigger|larger|real|a real|a good) (model|models|LLM|LLMs) [from the internet|from Hugging Face]",
            "about (downloading models|downloads|models from the Jan app)",
            "where do I (download|get|find) (a better|a larger|a bigger|another|a real|a good) model", "does it (find|use|see) (the|my) (models|models that I have) (of|from|in) (Jan|the Jan app)", "(download|get) (models|a model|more models)",
        ),
    ),
    "data_folder": (
        "Models live in the data folder, each in a folder of its own with a `model.json`. It is the data folder of the "
        "Jan app unless `JAN_DATA_FOLDER` names another one; "
        "`%jan status` shows which is in use.",
        (
            "where are (my|the) models[ stored| kept| saved| located]", "where is (the|my) data folder",
            "what is (the data folder|a data folder|JAN_DATA_FOLDER|`JAN_DATA_FOLDER`)",
            "to (change|set|move|choose|use another) (the data folder|data folder|JAN_DATA_FOLDER|the models folder|the folder of models)",
            "what does (JAN_DATA_FOLDER|`JAN_DATA_FOLDER`) do", "(which|what) folder (are|holds) [the|my] models[ in]",
            "where does (jan_jupyter|jan|it|this tool) (store|keep|look for|find|save|search) [its|the|my] models",
            "(data folder|JAN_DATA_FOLDER)", "where do models live", "in which folder are the models",
            "can I (change|move|choose) the data folder", "(explain|tell me about) the data folder",
            "to (find|locate|see|find out|know|look up) (where|in which folder|in which directory) (my models|the models|models|the model files) (are|live|lie|are stored|are kept|are saved)", "to (change|set|move|choose|use) (the|another|a different|my own) (data folder|models folder|model folder|folder for models|data directory)",
            "about (the data folder|JAN_DATA_FOLDER|the folder of models|the place of models|the models folder)",
            "(where|in which folder|in which directory|on which disk|at which path) (are|do I find|can I find|does it keep|does jan keep|does it store|does jan store) (my|the|all|its|all my) (models|model files|LLMs|GGUF files)", "where (are|is) (my|the) (models|model|model files|models folder|model folder|data) (kept|stored|saved|located|on disk|on my disk|found)", "(models|model) (folder|directory|location|path)", "(what|which) (folder|directory|path) (do|does) (models|it|jan) (live in|use|look in)", "where (my|the) models are",
        ),
    ),
    "engine": (
        "An **engine** is what runs a model. `nitro` runs models on this machine with llama.cpp; others send the "
        "prompt to a remote server, such as OpenAI's. A `model.json` names its engine, and `%jan engines` lists them all.",
        (
            "what is (an engine|the engine|an engine in jan|engine)", "what are engines", "what does an engine do",
            "(explain|describe|tell me about) (engines|an engine|the engine|the engines)",
            "what does engine mean[ here| in model.json]", "why does a model have an engine",
            "what is the (difference between a model and an engine|role of an engine|engine field)",
            "to (choose|set|change|pick|select) (an|the) engine",
            "how does a model know its engine", "which engine runs (my|a|the) model",
            "to (choose|pick|set|change|select|switch|name) (the|an|another|a different|my) engine [of a model|for a model|in model.json]",
            "about (the engine of a model|what an engine is|the engine field|choosing an engine)",
            "what (exactly |actually |)(is|are) (an engine|the engine|the engines|engines|a model engine) [for|here|in jan|in this tool|good for]", "(meaning|purpose|role) of (an|the) engine", "why are there engines", "what do you mean by engine", "what do engines do", "do I need an engine",
        ),
    ),
    "list_engines": (
        "`nitro` runs models on this machine; `openai`, `groq`, `mistral` and others ask a remote server. List them all "
        "with:\n\n```python\n%jan engines\n```",
        (
            "to (list|see|show|find|view) ([all] [the] engines|which engines I have|the available engines)",
            "(which|what) engines (are there|do I have|can I use|are available|exist|are supported|are installed)",
            "(list|show) [me] [all|the] [available] engines", "what (does|is) (%jan engines|`%jan engines`)[ do]",
            "engines", "is there a list of engines",
            "to (list|see|show|display|view|get|check|find out) (the|all|all the|all available|my|the available|which) engines [there are|I have|are available]", "to get a (list|table|overview) of (engines|the engines|all engines)",
            "about (the list of engines|available engines|supported engines|%jan engines)",
            "(which|what) (engines|backends|providers|services) (are|can I|do I|does it|does jan|could I|do you) (there|use|have|support|supported|available|offer|choose from|know) [here]", "(available|supported|all|list|show) engines", "how many engines are there", "name the engines", "(which|what) (remote engines|servers|providers) (are supported|does it support|can I use)", "(show|list|tell) me (the|all|all the|which) engines [there are]", "what are the engines",
        ),
    ),
    "nitro": (
        "`nitro` is the engine that runs GGUF models on this machine with llama.cpp. It is used when a `model.json` "
        "names no engine, and nothing leaves your computer.",
        (
            "what is (nitro|`nitro`|the nitro engine)", "what does (nitro|`nitro`|the nitro engine) do",
            "(explain|tell me about) (nitro|`nitro`|the nitro engine)", "(which|what) is the default engine",
            "which engine is used (by default|if none is named|when none is named)",
            "to (run|use) [a] (model|models|LLM|LLMs) (locally|on my machine|on my computer|on this machine|on my laptop)",
            "can I run (models|a model|LLMs) (locally|on my machine|on my laptop|on my computer)",
            "does (it|jan|jan_jupyter|this) use llama.cpp",
            "to run (models|a model|an LLM|everything|it) (on my own machine|on my own computer|locally|at home|on this computer)",
            "about (nitro|the nitro engine|local models|running models locally)",
            "what is nitro (for|good for|used for)", "is nitro llama.cpp", "which engine runs (GGUF files|local models|models on my machine)",
        ),
    ),
    "remote": (
        "Give the model a `model.json` that names a remote engine, and set that engine's API key in the environment:\n\n"
        '```json\n{"id": "gpt-4o", "engine": "openai"}\n```\n\n'
        "For `openai` the key is read from `OPENAI_API_KEY`. Then ask with `%%jan gpt-4o`.",
        (
            "to (use|call|ask|connect to|add|reach) (OpenAI|openai|GPT|gpt-4o|ChatGPT|GPT-4|a remote model|remote models|a remote engine|Claude|a cloud model|Groq|Mistral's API|an online model)",
            "can I use (OpenAI|GPT-4|ChatGPT|Claude|Groq|remote models|cloud models|a remote model|online models)",
            "does (it|jan|jan_jupyter|this|this tool) (support|work with) (OpenAI|remote models|ChatGPT|Claude|cloud models|GPT-4|Groq)",
            "what is a remote (engine|model)", "remote (engines|models)",
            "to (use|ask|connect|reach|set up|add) (OpenAI|ChatGPT|GPT-4o|a remote model|a remote server|an online model|models in the cloud|Groq|Mistral|DeepSeek|OpenRouter) [from a cell|as a model]",
            "about (remote models|remote engines|OpenAI|cloud models|using ChatGPT)",
            "is (OpenAI|ChatGPT|GPT-4|a remote model) (possible|supported)",
        ),
    ),
    "keys": (
        "API keys come from environment variables, for example `OPENAI_API_KEY` for the engine `openai`. Set it before "
        "you start Jupyter:\n\n```bash\nexport OPENAI_API_KEY=...\n```\n\n"
        "Never write a key into a notebook. A local model needs no key.",
        (
            "to (set|give|enter|use|add|configure|provide|store) (an|my|the) (API key|api key|OpenAI key|key|OpenAI API key)",
            "where do I (put|set|enter|write|store) (an|my|the) (API key|api key|OpenAI key|key)",
            "where (does the|do|do the) API (key|keys) (go|come from)", "do I need (an API key|a key|API keys)",
            "what is (OPENAI_API_KEY|`OPENAI_API_KEY`)[ for]", "OPENAI_API_KEY",
            "is an API key needed", "my API key is (missing|not found)",
            "to (set|give|enter|add|configure|provide|store|save|pass|put in|supply|register|tell it|use) (an|my|the|a) (API key|api key|key|OpenAI key|OpenAI API key|Groq key|secret key|API token|access key)",
            "about (setting an API key|my API key|the OpenAI key|where keys go|API keys for remote models)",
            "where (do|should|can|must) I (put|set|enter|write|store|save|paste|give|type) (an|my|the) (API key|api key|OpenAI key|OpenAI API key|Groq key|key|secret key)", "where (does|do|should|will) (my|the|an) (API key|key|OpenAI key|API keys|keys) (go|belong|come from|live)", "(set|enter|add|use) (API key|my API key|an API key|api key|the API key)", "(which|what) (variable|environment variable) holds (the|my) (key|API key)", "it (asks for|wants|needs|says it needs) (an API key|a key)", "the (API key|key) is missing", "is my API key safe", "I have an (OpenAI|API) key, where does it go",
        ),
    ),
    "compare": (
        "Ask several models the same question in a loop:\n\n"
        "```python\nimport jan_jupyter as jan\n\n"
        'for model in ["jan-mini", "my-model"]:\n    print(model, jan.chat("What is a token?", model=model))\n```\n\n'
        "Or write two cells with the same text, one under `%%jan jan-mini` and one under `%%jan my-model`.",
        (
            "to compare (models|two models|several models|different models|the models|the answers|answers|some models|LLMs|the outputs of two models|model outputs|answers of different models|my models)",
            "can I compare (models|two models|several models|different models|answers|their answers)",
            "(compare|comparing|comparison of) (models|two models|several models|different models|answers)",
            "to ask (two|several|many|all|multiple|different) models [the same question|at once|the same thing]",
            "to (send|give) the same (prompt|question) to (two|several|many|all|different|multiple) models",
            "which model is (better|best|the best|faster)", "to (find|see|find out) which model is (better|best|faster)",
            "to (evaluate|benchmark|test) (models|several models|two models)",
            "what is the best way to compare (models|two models)", "is there a way to compare (models|two models)",
            "to (compare|contrast|test|check|judge|evaluate|see the difference between|see the difference of|benchmark|rate) (two|several|three|some|different|the|my|all my|many|a few|multiple) (models|LLMs|language models|answers|replies)", "to compare (one model with another|a model with another one|models with each other|the answers of two models|the replies of several models|how two models answer|what different models say|the output of models)", "to (ask|prompt|query) (two|several|more than one|all my|multiple|both|different|a few|three) models [at once|the same question|the same thing|the same prompt|together|at the same time|one after the other]", "to (put|send|give|pose) (one|the same|a|my) (question|prompt) to (two|several|more than one|all my|multiple|both|different|a few) (models|LLMs)", "to see (two|several|the) (answers|models|replies) (side by side|next to each other|together)", "to find (the best|the better|the fastest|a better) model [of several|for my task]",
            "about (comparing models|a comparison of models|model comparison|the comparison of two models|asking several models)",
            "(compare|comparing) (LLMs|my models|model answers|two LLMs|answers|both models)", "(model comparison|models side by side|several models at once|compare)", "which (model|one|of my models|of two models) (is|answers|works) (better|best|faster|the best)", "(does|is) (one model|this model) better than (another|the other)",
        ),
    ),
    "temperature": (
        "Use `-t`, or `--temperature`:\n\n```text\n%%jan -t 0.2\nWrite a haiku about rain.\n```\n\n"
        "0 always takes the likeliest token; higher values vary more. `%jan set temperature=0.2` sets it for all cells.",
        (
            "to (set|change|lower|raise|adjust|control|use|increase|reduce) (the|a) [sampling] temperature",
            "(which|what) option (sets|changes) the temperature", "what (does|is) (-t|`-t`|--temperature|`--temperature`|the -t option)[ do]",
            "to make (answers|the answer|the model|it) (more creative|less random|more random|more varied|less creative|deterministic)",
            "can I (set|change) the temperature",
            "to (set|change|lower|raise|adjust|control|pass|give|use|increase|reduce|choose|pick|specify|turn up|turn down|fix|modify) (the|a|another|a lower|a higher|a different|its|my) [sampling|model's] temperature [of a model|of the model|to 0|to zero|to 0.5|to 1]", "to (make|get) (answers|the answer|replies|the model|it|output) (more|less) (creative|random|varied|predictable|wild)",
            "about (setting the temperature|the temperature option|temperature in a cell|changing the temperature|the option -t)",
            "(set|change|lower|raise|adjust) temperature", "where (do|can) I (set|change|put|find|adjust) the temperature", "(which|what) (option|flag|switch|parameter) (is for|sets|changes|controls) [the] temperature", "(temperature option|temperature setting|temperature 0|temperature=0.2)", "I want (temperature 0|a lower temperature|a higher temperature|a temperature of 0.5)", "the answers are too (random|wild|creative|boring)",
        ),
    ),
    "max_tokens": (
        "Use `-n`, or `--max-tokens`, to set how long an answer may be:\n\n"
        "```text\n%%jan -n 1000\nTell me a story.\n```\n\n`%jan set max_tokens=1000` sets it for all cells.",
        (
            "to (limit|set|change|raise|control|increase|reduce|shorten) (the length of an answer|the answer length|the length of the answer|max tokens|max_tokens|the number of tokens|the maximum length|the length|answers)",
            "to (get|have|make) (longer|shorter) answers", "what (does|is) (-n|`-n`|--max-tokens|`--max-tokens`|max_tokens|the -n option)[ do| for]",
            "why (is|was) (the|my) answer (cut off|cut|truncated|too short|incomplete|not finished)",
            "the answer (is|was) (cut off|too short|truncated)", "can I (limit|change) the length of answers",
            "(which|what) option (sets|limits) the length",
            "to (limit|set|change|raise|control|increase|reduce|cap) (the|a) (length|size|maximum length|number of tokens) [of answers|of an answer|of the reply|of replies]", "to get (a longer|a shorter) (answer|reply|response)",
            "about (the length of answers|max tokens|the option -n)",
            "(where|how) do I set (max_tokens|max tokens)", "(max tokens|max_tokens|answer length)", "(my|the) (answer|reply|response) (ends|stops|breaks off) (too early|in the middle|mid-sentence)",
        ),
    ),
    "system": (
        "Use `-s`, or `--system`:\n\n```text\n%%jan -s \"Answer like a teacher.\"\nWhat is a loop?\n```",
        (
            "to (set|give|use|add|write|pass|change|send) (a|the|my own) system (prompt|message|text)",
            "(which|what) option sets the system prompt", "what (does|is) (-s|`-s`|--system|`--system`|the -s option)[ do| for]",
            "to (tell|instruct) the model how to behave", "to give the model (a role|instructions|a persona)",
            "can I (set|use|give|change) (a|the) system prompt",
            "to (set|give|use|add|write|pass|change|send|define|specify|provide) (a|the|my|my own|another) (system prompt|system message|system instruction)", "to tell the model (how to answer|what role to play|to be brief|to answer like a teacher)",
            "about (setting a system prompt|the option -s|the system prompt of a cell)",
            "where (does|do I put|do I write) (a|the|my) system (prompt|message)[ go]",
        ),
    ),
    "continue": (
        "Each `%%jan` cell stands alone. Add `-c`, or `--continue`, to go on with the conversation:\n\n"
        "```text\n%%jan -c\nAnd why is that so?\n```",
        (
            "to (continue|go on with|carry on|keep up|resume) (a|the|my) (conversation|chat|talk|dialogue)",
            "to (ask|send) a follow-up [question]", "what (does|is) (-c|`-c`|--continue|`--continue`|the -c option)[ do| for]",
            "(does|will|can) (it|the model|jan|%%jan) (remember|keep|know) (the last cell|the conversation|earlier cells|earlier questions|previous cells|what I said before|the history)",
            "why (does|did) (it|the model|jan) (forget|not remember) (the last question|what I said|my last cell|the conversation)",
            "(multi-turn|multiple turns|follow-up questions|conversation history)", "are cells independent",
            "to (have|hold) a conversation [over several cells]", "can I ask a follow-up question",
            "to keep the (context|history)",
            "to (continue|go on with|carry on|keep up|resume|pick up|extend|follow up on) (a|the|my|our|this|the last|the previous|an earlier) (conversation|chat|talk|dialogue|discussion|answer|question)", "to (go on|continue|carry on|keep going|keep talking|keep chatting) [with the conversation|in the next cell|from the last cell|where I stopped|with the same chat|about the same thing]", "to ask (a follow-up|a follow-up question|another question about it|about the answer|about the last answer|something more|back)", "to make (it|the model|a cell|jan) (remember|keep|know) (the last question|the last answer|what I said|what was said|the conversation|the previous cell)", "to (refer|go back) to (the last answer|the previous cell|an earlier question)",
            "about (continuing a conversation|follow-up questions|the conversation|the option -c|going on with a chat)",
            "(continue|continue conversation|continue the chat|follow-up|follow up question|conversation)", "(does|do|will|can) (you|it|the model|a cell|jan|the next cell) (remember|know|keep|see) (the last cell|my last question|what I asked before|the cell before|previous messages|earlier messages|the conversation)", "is (the conversation|the history|the chat) (kept|remembered|continued)", "why does each cell start (again|from the beginning|anew)", "do cells know (each other|of each other|about the cell before)",
        ),
    ),
    "as": (
        "Use `--as` to keep the reply in a variable:\n\n```text\n%%jan --as answer\nName three fruits.\n```\n\n"
        "Then `print(answer)` shows its text.",
        (
            "to (save|keep|store|assign|put|get) (the answer|an answer|the reply|a reply|the output|the result|the response) [in a variable|in Python|to a variable|as a variable|into a variable]",
            "what (does|is) (--as|`--as`|the --as option)[ do| for]", "to (use|reuse|access) (the answer|the reply|the output) in (Python|my code|another cell|the next cell)",
            "can I (save|store|keep) the (answer|reply|output)[ in a variable]", "answer to a variable",
            "to (keep|save|store|put|assign|get|have|write|capture|catch) (the|an|my|its|a) (answer|reply|response|output|result|text) (in|into|as|to) (a variable|a Python variable|Python|a string|my code|some variable|a name)", "to (use|reuse|process|work with|access|print) (the|an|its) (answer|reply|response|output|result) (in Python|later|in my code|in another cell|in the next cell|afterwards|in code)",
            "about (keeping the answer|the answer as a variable|the option --as|saving the reply|the answer in a variable)",
            "(answer|reply|output|response|result) (in|as|to|into) [a] variable", "(save|store|keep) (the answer|answer|reply|the reply|output)", "where is the (answer|reply|output) (kept|saved|stored)", "in which variable is the (answer|reply)", "can a variable hold the (answer|reply)", "I want the (answer|reply|response|output) in a variable",
        ),
    ),
    "variables": (
        "Write the variable's name in braces, and its value is filled in:\n\n"
        "```text\n%%jan\nExplain this error: {error}\n```\n\nHere `error` is a variable of the notebook.",
        (
            "to (use|put|insert|pass|fill in|send|include|add) (a variable|variables|my variables|a Python variable|Python variables|a value|my data|a string) [in a prompt|in the prompt|in a cell|to the model|in a %%jan cell]",
            "can I use (variables|a variable|Python variables|my variables) [in a prompt|in a cell]",
            "what (do|does) (braces|curly braces|{name}|the braces) (do|mean)[ in a prompt]",
            "can the model see my (variables|data|data frame|dataframe)", "to (send|show|give|pass) (my data|a data frame|a dataframe|my dataframe|a table) to the model",
            "(template|prompt) variables", "how are variables filled in",
            "to ask about (my data frame|my dataframe|a variable|my variable)",
            "to (use|put|insert|pass|fill in|send|include|add|have|place|write|mention) (variables|a variable|my variables|my variable|Python variables|a Python variable|values|the value of a variable|notebook variables) (in|into|inside|with) (a prompt|the prompt|my prompt|prompts|a question|my question|a %%jan cell|the text)", "to (refer to|access|reach) (a variable|my variables|Python variables) (in|from) (a prompt|the prompt|a question|a cell)", "to (send|show|give|pass|hand|feed) (my data|a data frame|a dataframe|a variable|the value of a variable|a list|a table|a string|an error) to (the model|a model|an LLM)",
            "about (variables in a prompt|variables in prompts|using variables in a prompt|braces in a prompt|prompt templates)",
            "(variables|variable|a variable|python variables|braces) in (a prompt|prompts|the prompt|my prompt|a question)", "can (a prompt|the prompt|prompts|a %%jan cell) (use|contain|have|include|see) (variables|a variable|Python variables|my variables)", "does (it|the prompt|a prompt|%%jan|the model) (know|see|use|support|fill in|accept) (my variables|variables|Python variables|variables of the notebook)", "what does {name} (do|mean) in a prompt", "how does (a|my) variable get into the prompt",
        ),
    ),
    "format": (
        "Use `-f`, or `--format`, with `markdown`, `text`, `json`, `html` or `code`:\n\n"
        "```text\n%%jan -f json\nGive me a name and an age.\n```\n\nAnswers are shown as Markdown unless you say otherwise.",
        (
            "to (change|set|choose) (the|an) (output format|format|answer format|display format|format of the answer)",
            "(which|what) (formats|output formats) (are there|can I use|are supported|does it support|exist)",
            "to (get|show|display|have) (the|an|my) (answer|answers|output|reply) (as|in) (JSON|plain text|text|HTML|code|Markdown)",
            "what (does|is) (-f|`-f`|--format|`--format`|the -f option)[ do| for]",
            "to get (JSON|plain text|HTML|only the code|just the code|structured output)[ back]",
            "can I get (JSON|plain text|HTML|only the code)", "output formats",
            "to (get|show|see|display|have|print) (the answer|answers|the reply|output|a reply) (as|in) (plain text|JSON|HTML|Markdown|code) [instead|only]",
            "about (the output format|the option -f|formats)",
            "answer as (json|plain text|html)",
        ),
    ),
    "dry_run": (
        "`--dry-run` shows what would be sent, without sending it:\n\n```text\n%%jan --dry-run\nWhat is a token?\n```",
        (
            "what (does|is) (--dry-run|`--dry-run`|a dry run|the --dry-run option)[ do| for]",
            "to (see|check|preview|inspect|look at) (the request|what is sent|what would be sent|the prompt|the final prompt) [before sending|before it is sent|without sending it]",
            "can I (see|check|preview) (the request|what is sent|the prompt) [before sending|without sending it]",
            "to (do|make) a dry run", "dry run",
            "to (see|check|show|preview) (what|exactly what) (is sent|would be sent|will be sent|gets sent) [to the model]",
            "about (dry runs|the option --dry-run)",
            "what exactly (is|gets|would be) sent to the model",
        ),
    ),
    "stop": (
        "Press the notebook's **Stop** button, which interrupts the kernel. The answer stops at once: what was "
        "written so far stays, and “Stopped.” appears below it.",
        (
            "to (stop|interrupt|cancel|abort|halt|end) (an answer|the answer|a cell|the model|a running answer|generation|the generation|it|you|streaming|a long answer|a response|the output)",
            "can I (stop|interrupt|cancel|abort) (an answer|the answer|it|the model|a running cell|generation)",
            "the answer (does not stop|is too long, how do I stop it|never ends|keeps going)", "what happens (if|when) I (press stop|interrupt the kernel|stop a cell)",
            "(stop|cancel|interrupt) (the answer|generation|a running answer)", "is there a stop button",
            "it won't stop", "to make (it|the model) stop",
            "to (stop|interrupt|cancel|abort|halt|end|break off|kill|quit) (an|the|a|this|a long|a running|the current|an endless) (answer|reply|response|generation|output|cell|model|stream) [early|while it runs|that is too long|that runs|before it ends]", "to (stop|interrupt|cancel|abort) (it|you|the model|a model) [from writing|from answering|while it writes|while it answers|in the middle]", "to make (it|the model|the answer|you) (stop|end|shut up)",
            "about (stopping an answer|the Stop button|cancelling|interrupting an answer|stopping the model)",
            "(stop|cancel|interrupt|abort) (answer|an answer|it|the model|generating|the reply|the output|the cell)", "(stop button|ctrl-c|stop generation)", "(the answer|it|the model|this answer) (is too long|won't end|does not end|never stops|goes on and on|keeps writing)[, how do I stop it|, can I stop it|, what do I do]", "can (an answer|a reply|it|the model) be (stopped|interrupted|cancelled)", "what do I press to stop", "where is the stop button",
        ),
    ),
    "python": (
        "Use `jan.chat`:\n\n```python\nimport jan_jupyter as jan\n\n"
        'reply = jan.chat("Name three fruits.", model="jan-mini")\nprint(reply)\n```\n\n'
        "`jan.stream(...)` gives the text piece by piece, and `await jan.achat(...)` is for async code.",
        (
            f"to (use|call) ({IT}|a model|the model) (from|in|with) (Python|python|Python code|a script|my code|my script|my own code|a function|a Python script)",
            "is there a Python (API|interface|function|library)", "what does (jan.chat|`jan.chat`) do", "to use (jan.chat|`jan.chat`|the Python API)",
            "to ask (a question|a model) (from|in) (Python|python|code|a script|my code)",
            "can I use (it|this|jan|jan_jupyter|the models) (from|in) (Python|a script|my own code)", "(Python API|python interface|jan.chat)",
            "(show|give) me the Python (API|code to ask a model)", "to (call|use) (it|this|jan) without (magics|the magic|a magic)",
            "(write|show) (Python|code) [that|to] (asks|ask|calls|call) a model", "what is the Python API",
            "to (use|call|run|access|control|ask|query|import) (it|this|jan|jan_jupyter|a model|the model|models|this tool|an LLM|the library) (from|in|with|out of|via|inside) (Python|python|Python code|plain Python|a script|my script|code|my code|a function|my program|a Python file|a .py file|a loop)", "to (write|make) (a script|code|Python code|a program) that (asks|calls|uses) (a model|the model|jan|an LLM)", "to (get|have) (an answer|a reply|a response) (in|from|with) (Python|Python code|a script|plain Python)",
            "about (the Python API|use from Python|jan.chat|Python code for it|calling it from code)",
            "(from Python|in Python|python usage|use from python|python api|python code|jan.chat|in a script)", "is there (a Python API|a Python interface|a way from Python|an API for Python|a Python function for it)", "does (it|this|jan|jan_jupyter) (work|run) (in|from) (Python|a script|plain Python|scripts)", "do I need (magics|the magic|a notebook) or (can I use|is there) Python", "what do I import in Python",
        ),
    ),
    "stream": (
        "Loop over `jan.stream`:\n\n```python\nimport jan_jupyter as jan\n\n"
        'for piece in jan.stream("Tell me a story."):\n    print(piece, end="")\n```\n\n'
        "A `%%jan` cell streams by itself.",
        (
            "to stream (an answer|the answer|answers|tokens|the output|a reply|text|a completion|completions|a response)[ in Python| from Python]",
            "what does (jan.stream|`jan.stream`) do", "to use (jan.stream|`jan.stream`)", "can I stream (answers|tokens|the answer|an answer)[ in Python]",
            "to get (the answer|an answer|the text) (piece by piece|token by token|as it is written)",
            "to (print|show) (tokens|the answer) as (they come|it comes|they arrive|it arrives)", "(jan.stream|streaming in Python)",
            "does (it|jan|jan_jupyter|this) support streaming", "does it stream",
            "to stream (an answer|the answer|answers|tokens|the output|a reply|text|replies|a response|the model's answer) (in|from|with|using) (Python|python|Python code|a loop|a for loop|my code|a script|code)", "to (loop over|iterate over|get|receive|read|print) (the tokens|tokens|the pieces|pieces|chunks|the answer) [of an answer|one by one|as they come|bit by bit|in Python|in a loop|piece by piece|live|while they come]", "to (print|show|see|get) (an answer|the answer|a reply|the text) (token by token|word by word|bit by bit|piece by piece|while it is written|live|as it comes) [in Python]",
            "about (streaming in Python|streaming from Python|jan.stream|a stream of tokens in Python)",
            "(stream in python|python streaming|streaming from python|stream tokens|stream answer|jan.stream)", "is there (a streaming API|streaming in Python|a stream function|streaming)", "does jan.stream (give|return) (pieces|tokens)", "can Python code stream",
        ),
    ),
    "async": (
        "Await `jan.achat`:\n\n```python\nimport jan_jupyter as jan\n\n"
        'reply = await jan.achat("What is a token?")\nprint(reply)\n```',
        (
            "to (use|call|ask) (it|a model|jan|this|jan_jupyter|the model) (asynchronously|with async|with await|in async code|in an async function|with asyncio)",
            "is there an async (API|function|version|interface)", "what does (jan.achat|`jan.achat`) do", "to use (jan.achat|`jan.achat`|async|await|asyncio)[ with jan| here]",
            "(does it support|can I use) (async|await|asyncio)", "(async|asyncio|jan.achat)",
            "to (await|ask asynchronously|get without blocking) (an answer|a model|a reply|the answer)",
            "about (async code|the async API|asyncio|jan.achat)",
        ),
    ),
    "load_model": (
        "A model is loaded when you first ask it. To load one before that, or to free its memory:\n\n"
        "```python\n%jan load my-model\n%jan unload my-model\n```\n\n`%jan ps` shows what is running.",
        (
            "to (load|unload|preload|free|remove from memory|warm up) (a model|the model|models|my model)[ from memory| in advance| before asking]",
            "to free (memory|the memory|RAM|GPU memory|the memory of a model)", "what (does|is) (%jan load|`%jan load`|%jan unload|`%jan unload`)[ do]",
            "(when|how) is a model loaded", "the model (uses|takes|needs) too much memory", "can I (unload|load|preload) a model",
            "(load|unload) a model", "how do I get my memory back",
            "to (free|release|save|get back|clear|empty|regain|recover) (memory|the memory|RAM|my RAM|GPU memory|some memory|VRAM|the memory of a model|the RAM)", "to (unload|remove|drop|throw out|close|kick out|get rid of|shut down|release|free) (a model|the model|my model|models|a loaded model|a model from memory|the model from memory|a model that I no longer need)", "to (load|preload|warm up|prepare|start) (a model|the model|my model) [before asking|in advance|beforehand|first|into memory]",
            "about (memory|freeing memory|unloading a model|loading and unloading models|unloading)",
            "(free memory|unload|unload model|unload a model|free ram|release memory|load model|out of memory)", "(it|the model|jan|a model) (uses|takes|needs|eats|holds) (too much|all my|a lot of|so much) (memory|RAM)", "my (memory|RAM|computer) is full", "how is (a model unloaded|memory freed)", "when (is|does) (a model|the model|memory) (unloaded|leave memory|freed)",
        ),
    ),
    "ps": (
        "`%jan ps` shows which models are running:\n\n```python\n%jan ps\n```",
        (
            "(which|what) models are (running|loaded|in memory|active)[ now| right now]", "what is running[ now| right now]", "what (does|is) (%jan ps|`%jan ps`)[ do]",
            "to (see|show|check|find out|list) (which models are running|what is running|which models are loaded|running models|the running models|what is loaded)",
            "(running models|list running models|show running models)", "is a model (running|loaded)",
            "to (see|show|check|find out|list|know|look|view|tell) (which|what) (models|model|LLMs) (are|is) (running|loaded|in memory|active|held in memory) [now|right now]", "to (see|check|find out|show|know) (what is running|what is loaded|what runs|whether a model is running|what is in memory|what uses memory)",
            "about (running models|loaded models|%jan ps|what is running)",
            "(running|loaded|active) models", "(ps|what runs|what is loaded|what is in memory|what's running|what's loaded)[ now| here]", "which (model|models|LLMs) (is|are) (running|loaded|in memory) [now|at the moment|right now|here]", "(is|are) (any model|anything|some model|models) (running|loaded|in memory) [now|right now]", "what (uses|takes|is using|is taking) (my|the|all my) memory", "list what is running",
        ),
    ),
    "status": (
        "`%jan status` shows how things stand:\n\n```python\n%jan status\n```",
        (
            "what (does|is) (%jan status|`%jan status`)[ do]", "to (check|see|show|get) (the|its) status",
            "(show|what is) the status", "status", "is everything (ok|working|all right)", "does (it|everything) work",
            "to (check|see) (whether|if|that) (it|everything) (works|is working)",
            "about (the status|%jan status|settings and versions)",
            "(which|what) version (is this|of jan_jupyter is this|do I have)", "to (see|find out) (the version|which version I have|my settings|which folders are used)",
        ),
    ),
    "help": (
        "`%jan help` lists the commands, and `%jan?` shows all options:\n\n```python\n%jan help\n```",
        (
            "to (get|find|see|show) [more] help", "what (does|is) (%jan help|`%jan help`|%jan?|`%jan?`)[ do]", "where (is|do I find) (the help|help|the documentation|the docs|the manual)",
            "(which|what) (commands|subcommands|magics) (are there|exist|can I use|do you have|does jan have|are available)",
            "(list|show) [me] [all] [the] commands", "(commands|subcommands|documentation|docs|manual)", "is there (a manual|documentation|help|a list of commands)",
            "(I need|show me the) help with (jan|jan_jupyter|this tool|the commands)", "what commands does (it|jan|jan_jupyter|this tool) have",
            "where can I (read|learn) more[ about jan_jupyter| about this]",
            "to (get|find|see|read|show|open) (help|more help|the help|the help page|the manual|the documentation|all commands|the commands|a list of commands|an overview of commands)", "to (list|see|know|find out|learn) (all|the|which|what) commands [there are|exist|I can use]",
            "about (the commands|commands|all commands|%jan help|documentation)",
            "(help|help|Help|HELP)[!|?|.| please|, please]", "(%jan help|jan help|show help|show the help|help page|usage|list commands|all commands|which commands)", "where (can|do) I (find|get|read|see) (help|more help|documentation|the docs|instructions|the commands|a tutorial)", "(how do I|can I) get help[ here]", "what commands (can I|do I|are there|exist) [use|have]", "(which|what) (things|words|commands) can I (type|write|put) after %jan",
        ),
    ),
    "options": (
        "The options of `%%jan` are:\n\n"
        "- `-m`, `--model`: the model\n- `-s`, `--system`: a system prompt\n- `-t`, `--temperature`: how freely it chooses\n"
        "- `-n`, `--max-tokens`: the longest answer\n- `--top-p`, `--seed`, `--stop`: more on sampling\n"
        "- `-p KEY=VALUE`: any other parameter\n- `-c`, `--continue`: go on with the conversation\n"
        "- `--as NAME`: keep the reply in a variable\n- `-f`, `--format`: how to show it\n- `--dry-run`: show, do not send",
        (
            "(which|what) options (are there|exist|can I use|does %%jan have|does it have|do I have|are available|does jan have)",
            "(list|show|explain) [me] [all] [the] options", "what options (does|has) (%%jan|`%%jan`|the magic|%jan)[ have| take]", "(options|all options|%%jan options|list of options)",
            "what (can I|may I) write after %%jan", "what are the options[ of %%jan| of the magic| for a cell]",
            "(which|what) (flags|arguments|switches|parameters) (does|can) %%jan (have|take)",
            "to (see|list|show|find out) (all|the|all the|which) options [there are|of %%jan|of a cell]",
            "about (the options|the options of %%jan|flags|all options)",
            "(which|what) (options|flags|switches) (can|may|do) I (use|write|have|give) [in a cell|with %%jan|after %%jan]",
        ),
    ),
    "set": (
        "`%jan set` sets a default for all cells that follow:\n\n```python\n%jan set temperature=0.2\n%jan set max_tokens=1000\n```",
        (
            "to (set|change) (the default parameters|default parameters|the defaults|a default parameter|parameters for all cells|a parameter for all cells|default options)",
            "what (does|is) (%jan set|`%jan set`)[ do]", "to use (%jan set|`%jan set`)", "(default parameters|the default parameters|set defaults)",
            "to (set|use) the same (temperature|parameters|options) (everywhere|in all cells|for every cell|every time|for all cells)",
            "can I (set|change) the (defaults|default parameters)",
            "to (set|give|choose) (defaults|default options|default values|parameters) (for all cells|for the whole notebook|for the cells that follow|once for all cells)",
            "about (%jan set|default parameters)",
        ),
    ),
    "parameter": (
        "Give any parameter with `-p`:\n\n```text\n%%jan -p top_k=40 -p min_p=0.05\nWrite a haiku about rain.\n```\n\n"
        "Some have options of their own: `-t`, `-n`, `--top-p`, `--seed`, `--stop`.",
        (
            "to (set|pass|give|change|use) (a parameter|other parameters|any parameter|top_k|min_p|parameters|sampling parameters|more parameters|a sampling parameter|a custom parameter)[ in a cell| to the model| for one cell]",
            "what (does|is) (-p|`-p`|the -p option)[ do| for]", "(which|what) parameters can I (set|use|pass|give)", "can I pass (other|more|any) parameters",
            "about (other parameters|the option -p|more sampling parameters)",
        ),
    ),
    "top_p": (
        "Use `--top-p`:\n\n```text\n%%jan --top-p 0.9\nWrite a haiku about rain.\n```\n\n"
        "The model then chooses only among the likeliest tokens that together reach 90 %.",
        (
            "to (set|change|use|lower|give) (top-p|top_p|the top_p value|`--top-p`|nucleus sampling)", "what (does|is) (--top-p|`--top-p`|the --top-p option)[ do| for]",
            "(which|what) option sets (top_p|top-p)", "can I set (top_p|top-p)",
            "about (the option --top-p|setting top_p)",
        ),
    ),
    "seed": (
        "Use `--seed`, and the same question gives the same answer again:\n\n```text\n%%jan --seed 7\nWrite a haiku about rain.\n```",
        (
            "to (get|make|have) (reproducible answers|the same answer again|the same answer twice|repeatable answers|an answer reproducible|answers reproducible|answers repeatable)",
            "to (set|use|fix|give|change) (a seed|the seed|the random seed|a random seed|`--seed`)", "what (does|is) (--seed|`--seed`|the --seed option)[ do| for]",
            "can I (get|have) (reproducible answers|the same answer twice)", "(reproducibility|reproducible answers)", "why (does the answer change|is the answer different) each time",
            "to (get|have|make|force) (the same answer|the same reply|identical answers|reproducible results|the same result) [every time|each time|again|twice|always]",
            "about (the option --seed|reproducible answers|fixing the seed)",
        ),
    ),
    "stop_words": (
        "Use `--stop`, and the answer ends before that text:\n\n```text\n%%jan --stop END\nWrite a list and then END.\n```",
        (
            "to (set|use|give|add) (a stop word|stop words|a stop sequence|stop sequences|`--stop`|a stop text)", "what (does|is) (--stop|`--stop`|the --stop option)[ do| for]",
            "what (is a stop word|are stop words|is a stop sequence)", "to end an answer at a (word|certain word|given word|certain text)", "(stop words|stop sequences)",
            "about (stop words|stop sequences|the option --stop)",
        ),
    ),
    "privacy": (
        "It depends on the engine. A local model (engine `nitro`) runs on this machine, and nothing is sent elsewhere. "
        "A remote engine sends your prompt to its server.",
        (
            "is (my data|my code|it|this|my prompt|my notebook|this tool|my text) (private|safe|secure|secret|sent anywhere|confidential)", "(where is|is) my (data|prompt|text|code) sent[ anywhere| to a server| to the cloud| to the internet]",
            "(does|do) (it|you|jan|jan_jupyter|this tool|this extension) (send|share|upload|collect|leak) (my data|data|anything|my prompts|my code|my notebook|information)[ anywhere| to a server| to the cloud| to the internet| to anyone]",
            "who (sees|can see|can read|gets|reads) my (data|prompts|questions|text|code)", "(privacy|data protection|is this private)", "what (is|about) (privacy|my privacy|data privacy)",
            "what about data (protection|privacy|safety)", "is anything sent (to the internet|to a server|to the cloud|elsewhere|out)", "do my (prompts|data|questions) leave (my machine|this machine|my computer|the computer)",
            "is it safe to use (it|this|jan|private data|secret data)", "where does my (data|text|prompt|question) go", "is there (telemetry|tracking)",
            "to (keep|make sure that I keep) my (data|prompts|code|notebook) (private|safe|secret|on my machine)",
            "about (privacy|data protection|my privacy|the safety of my data|who sees my data|security)",
            "(is|are) (my|the|our) (data|code|prompt|prompts|notebook|notebooks|questions|text|texts|files|information|input|cells|variables) (kept|stored|held|) (private|safe|secure|secret|confidential|protected|local|on my machine)", "(does|do|will|can|could) (it|this|jan|jan_jupyter|you|this tool|this extension|the model|anyone|somebody|someone|a company) (send|see|read|share|store|upload|collect|leak|keep|save|record|transmit|get) (my|any|our) (data|prompt|prompts|code|notebook|questions|text|input|information) [anywhere|somewhere|to the internet|to a server|to the cloud|to anyone|to others|to OpenAI]", "(does|do|will) (my|our|any) (data|prompt|prompts|code|questions|text) (leave|get out of|go out of|stay on) (my|this|the) (machine|computer|laptop|notebook)", "(who|which people|what company) (can|could|will|else|) (see|sees|read|reads|get|gets) (my|what I|the) (data|prompts|type|questions|write|code|text)", "(is|are) (anything|something|my prompts|my data|my questions|data) (sent|uploaded|shared|transmitted|stored|recorded|logged) [to the internet|to a server|to the cloud|anywhere|elsewhere|somewhere|online]", "(is|are) (this|it|jan|the tool|this tool|jan_jupyter|this extension|local models) (private|safe|secure|confidential|safe to use|safe for private data|safe with secret data|spying on me)", "(private|privacy|data privacy|is it private|is this safe|security|telemetry|tracking)", "can I use (it|this|this tool) (with|for|on) (private|secret|confidential|sensitive|personal|company) (data|text|files|information)", "(does|do) (it|jan|jan_jupyter|this tool) (phone home|track me|spy on me|have telemetry|collect telemetry)", "where (do|does) my (prompts|data|text|questions|words) go", "what happens (to|with) my (data|prompts|questions|text)",
        ),
    ),
    "offline": (
        "Yes. A local model (engine `nitro`) needs no internet, and I am bundled, so I answer offline too. Only a remote "
        "engine needs a connection.",
        (
            "does (it|this|jan|jan_jupyter|this tool) (work|run) (offline|without internet|without the internet|without a connection|without a network)",
            "do I need (internet|the internet|an internet connection|a network|to be online)", "can I use (it|this|jan|you|jan_jupyter) (offline|without internet|on a plane|without the internet|on a train)",
            "does it need (internet|the internet|a connection|an internet connection)", "(offline|offline use)", "(are you|do you work|do you run) (offline|online|without internet)", "is it offline",
            "to (use|run) (it|this|jan|you|jan_jupyter) (offline|without internet|without a network)",
            "about (offline use|working offline)",
            "(does|will|can) (this|it|jan|jan_jupyter) (work|run|answer) (on a plane|on a train|when I am offline|when the network is down|with no internet)",
        ),
    ),
    "gpu": (
        "Set `ngl` in the `settings` of the model's `model.json`: it is the number of layers that go to the GPU.\n\n"
        '```json\n"settings": {"ngl": 99, "ctx_len": 4096}\n```\n\nA number above the real count means all layers.',
        (
            "to (use|enable|turn on|run on|activate) (the|my|a) (GPU|gpu|graphics card)", "what is (ngl|`ngl`|the ngl setting|ngl in model.json)", "does (it|this|jan|jan_jupyter|nitro) (use|support|need) (the|a|my) GPU",
            "can I (use|run on|run models on) (the|my|a) GPU", "do I need a GPU", "what does (ngl|`ngl`) (mean|do)", "to (run|put|load) (a model|the model|my model) on the GPU", "GPU support", "to set (ngl|`ngl`)",
            "to (use|enable|activate|make use of|run a model on|put a model on) (my|the|a) (GPU|graphics card|video card)",
            "about (the GPU|GPU support|ngl)",
            "does it run on (my|a|the) (GPU|graphics card)", "use gpu",
        ),
    ),
    "ctx_len": (
        "Set `ctx_len` in the `settings` of the model's `model.json`:\n\n"
        '```json\n"settings": {"ctx_len": 8192}\n```\n\nThe prompt and the answer share this number of tokens.',
        (
            "to (set|change|raise|increase|enlarge|extend) (the context length|the context window|the context|ctx_len|the context size|`ctx_len`)", "what is (ctx_len|`ctx_len`|the ctx_len setting|ctx_len in model.json)",
            "what does (ctx_len|`ctx_len`) (mean|do)", "how long can (a|my|the) (prompt|conversation) be", "my (prompt|text|conversation) is too long", "(a longer|a larger|more) context", "can I (change|raise|increase) the context length",
            "to (set|change|raise|get|increase) (the|a longer|a larger|a bigger) (context|context length|context size|context window)",
            "about (ctx_len|the context length of a model|a longer context)",
        ),
    ),
    "free": (
        "`jan_jupyter` is free, open-source software, and local models cost nothing to run. A remote engine may charge you for "
        "what you send and receive.",
        (
            "is (it|this|jan|jan_jupyter|this tool|this extension) (free|open source|free of charge|free software|open-source)", "(what|how much) does (it|this|jan|jan_jupyter|this tool) cost", "do I (have|need) to pay[ for it| for this]",
            "what is the (price|cost|licence|license)[ of it| of this| of jan_jupyter]", "does it cost (money|anything)", "how much is (it|jan_jupyter|this tool)", "is there a fee",
            "about (the price|the licence|the cost)",
        ),
    ),
    "quality": (
        "I am only **jan-mini**, a tiny demonstration model, so my answers can be wrong. For real work, choose a larger model "
        "with `%jan use MODEL`; `%jan models` lists what you have.",
        (
            "why are you (so bad|so stupid|so limited|wrong|so dumb|not smart|so simple|so silly)", "(can|should) I trust (you|your answers|what you say)", "(are you|are your answers) (right|correct|reliable|accurate|always right|trustworthy|any good|smart|clever|stupid)",
            "(you are|that is|that was|this is|that's|you're) (wrong|stupid|bad|not right|incorrect|nonsense|useless|dumb|not true|a bad answer|false)", "why (is|was) (the|your|that) answer (wrong|so bad|bad|poor|nonsense|not right)", "you made a mistake",
            "(is|was) that (true|right|correct|really true)", "are you sure[ about that]", "I don't believe you", "how good are you", "do you make mistakes", "what are your (limits|limitations|weaknesses)", "what can't you do", "what can you not do",
            "about (your limits|your mistakes|the quality of your answers)",
            "your answer (is|was) (wrong|bad|nonsense|useless)", "that (makes no sense|is not what I asked|did not help)",
        ),
    ),
    "slow": (
        "The first question to a model is slower, because the model has to be loaded; `%jan load MODEL` does that in advance. "
        "A smaller model is faster, and so is a GPU (see `ngl` in `model.json`).",
        (
            "why is (it|this|the first answer|my model|the model|jan|the first question|the first cell) (so slow|slow|slower|taking so long)", "(it|this|the model|the answer) (is|takes) (so slow|too slow|very slow|too long|ages|forever)", "to make (it|the model|this|answers|a model|jan) faster", "to speed (it|this|things|the model) up",
            "why does (it|the answer|the first answer|loading) take so long", "can it be faster",
            "to (speed up|make faster) (answers|the model|a model|my model)", "to (get|have) (faster|quicker) answers",
            "about (speed|slow answers)",
            "why does it take so long[ to answer]",
        ),
    ),
    "switch_back": (
        "You are talking to **jan-mini**, the bundled model. Another one answers if you name it after `%%jan`, or after you set "
        "it with `%jan use MODEL`.",
        (
            "(which|what) model (is this|am I using|are you|answers|is answering|am I talking to|do I use|is in use|is running here|is used)[ now| right now| here| at the moment]", "(which|what) LLM (is this|are you|am I using)", "am I talking to (ChatGPT|GPT-4|a large model|Claude|llama|Gemini)", "are you (ChatGPT|GPT-4|Claude|Llama|Gemini|a large language model|Siri|Alexa)",
            "about (the model that answers here|the model in use)",
            "who (is answering|answers)[ me| here| my questions]", "(current model|which model is this|model in use)",
        ),
    ),
    "json_reply": (
        "Ask for JSON in the prompt, and add `-f json` to show the answer as JSON:\n\n```text\n%%jan -f json\nGive me a name and an age.\n```\n\n"
        "A larger model follows such a request better than I do.",
        ("can (you|the model|a model) (answer|reply) in JSON", "do you (speak|know|answer in) JSON", "can you write JSON", "about (JSON answers|answers in JSON)"),
    ),
    "files": (
        "I can see only the text of your prompt, not your files, your screen or the internet. Read a file in Python, then put its "
        "text into the prompt with `{name}`:\n\n```python\ntext = open(\"notes.txt\").read()\n```\n\n"
        "```text\n%%jan my-model\nSummarise this: {text}\n```",
        (
            "can you (read|see|open|access|load) (my files|a file|files|my screen|the internet|my notebook|this notebook|my disk|a PDF|my folder|images|pictures)", "to (send|give|ask about|pass|attach|upload|summarise|summarize) (a file|a PDF|my file|a document|a text file|an image|my notes)[ to the model| to you]",
            "can you (search the web|browse|browse the web|google|look things up|go online)", "can I (upload|attach|send) a (file|PDF|document|picture)",
            "to (ask about|summarise|use|include|send) (a file|my file|a PDF|a text file|a document)",
            "about (files|PDFs|reading files with the model)",
        ),
    ),
}

# What newcomers ask first, which is asked more often.
ASKED_FIRST = (
    "choose", "choose", "model_json", "model_json", "compare", "compare", "privacy", "privacy", "list_models", "data_folder", "add_model",
    "list_engines", "engine", "temperature", "stop", "continue", "as", "variables", "python", "stream", "keys", "load_model", "ps", "help",
    "ask", "load_ext", "default_model", "what_is",
)

# How they ask for it in the commonest words: all the other patterns together hardly ever arrive at these.
PLAIN: dict[str, tuple[str, ...]] = {
    "choose": ("to choose a model", "to choose a model", "to (choose|pick|select|change|switch) (a|the|my) model", "to use (another|a different) model"),
    "model_json": ("(what is|what's|explain|what does) (a|the|) (model.json|`model.json`)[ file]", "what is (a model.json|model.json|a `model.json`|`model.json`)"),
    "compare": ("to compare models", "to compare two models", "to compare (models|two models|several models|answers|different models)"),
    "privacy": ("is (it|this|jan|my data|everything) private", "is (my data|my prompt|my code) (private|safe|kept private)", "is it (safe|private|secure)", "where does my data go"),
    "list_models": ("which models (are there|do I have|can I use)", "what models (are there|do I have|can I use)", "to (list|see) (my|the|all) models", "list models"),
    "data_folder": ("where are (my|the) models", "where are (my|the) models (stored|kept|saved)", "where is the data folder", "to (find|change) the data folder"),
    "add_model": ("to use my own (GGUF|GGUF file|model|gguf)", "to use a GGUF [file]", "to add (a|my own) model", "can I use my own (GGUF|model)"),
    "list_engines": ("(which|what) engines are there", "(which|what) engines (can I use|do I have|are available)", "to list [the] engines", "list engines"),
    "engine": ("what is an engine", "what are engines", "what does an engine do", "explain engines"),
    "temperature": ("to set the temperature", "to (set|change|lower|raise) the temperature"),
    "stop": ("to stop an answer", "to (stop|interrupt|cancel) (an answer|the answer|it|a cell|the model)"),
    "continue": ("to continue a conversation", "to (continue|go on with) (a|the|my) (conversation|chat)", "to ask a follow-up question"),
    "as": ("to keep the answer in a variable", "to (keep|save|store|get) (the|an) (answer|reply) in a variable"),
    "variables": ("to use variables in a prompt", "to use (variables|a variable|my variables|Python variables) in (a|my|the) prompt", "to put a variable (in|into) (a|my|the) prompt"),
    "python": ("to use (it|this|jan) from Python", "to use (it|this|jan|jan_jupyter) (from|in) Python", "to call a model from Python"),
    "stream": ("to stream in Python", "to stream (an answer|the answer|tokens) (in|from) Python", "to stream from Python"),
    "keys": ("to set (an|my|the) API key", "where do I (put|set|enter) (an|my|the) API key"),
    "load_model": ("to free memory", "to (unload|load) a model", "to free (memory|the memory|RAM)", "to unload (a|the|my) model"),
    "ps": ("what is running", "(which|what) (model is|models are) (running|loaded)", "what is (running|loaded)"),
    "help": ("help", "to get help", "(show|list) (the|all) commands", "(which|what) commands are there"),
    "ask": ("to ask a question", "to ask a model", "to use (%%jan|`%%jan`)", "how does %%jan work"),
    "load_ext": ("to load the extension", "to load (the extension|jan_jupyter)", "to (start|begin|get started)"),
    "default_model": ("to set (a|the|my) default model", "to change the default model"),
    "what_is": ("what is (jan_jupyter|this|this tool)", "what does (this tool|jan_jupyter) do", "what is this tool for"),
}
