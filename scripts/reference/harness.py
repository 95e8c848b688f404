"""Writes harness.json: what EleutherAI's lm-evaluation-harness says of a tiny model on a few items.

    pip install "lm_eval==0.4.13" transformers torch
    python3 scripts/reference/harness.py

The model is a Hugging Face LLaMA whose weights are 0.3 · sin(1), 0.3 · sin(2), …, in the order of the engine's
parameter layout, so that none need to be stored; the tokenizer is a byte-level BPE trained here. Nothing is
downloaded. The engine scores the same items in src/evaluation/harness.test.ts.
"""

import json
import tempfile
from pathlib import Path

import lm_eval
import numpy
import torch
from lm_eval.models.huggingface import HFLM
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

HERE = Path(__file__).resolve().parent

TEXT = """The cat sat on the mat and the dog lay by the door. When the rain had stopped she walked along the
road to the house where they were waiting. One and one is two, two and two is four, four and four is eight.
He said that the window was open, and that nobody had been there since the morning."""

# Byte-level BPE needs the 256 bytes, an end token and a few merges.
VOCABULARY = 300

CONFIG = {
    "vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 4, "intermediate_size": 24, "max_position_embeddings": 48,
    "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": False, "attention_bias": False,
    "bos_token_id": None, "eos_token_id": 0,
}  # fmt: skip

# The longest contexts are longer than the model's, and lose their beginning.
CHOICES = [
    {"context": "The cat sat on the", "choices": [" mat", " green and blue door"], "answer": 0},
    {"context": "When the rain had stopped ", "choices": [" she walked", " cat", " eight"], "answer": 0},
    {"context": "two and two is", "choices": [" four", " five", " six", " naïve 東京"], "answer": 0},
    {"context": "He said that the window\n", "choices": [" was open", " is four"], "answer": 1},
    {"context": TEXT, "choices": [" They left.", " Nobody left it open.", " Eight."], "answer": 2},
    {"context": "The dog", "choices": [" lay by the door", " by the door lay"], "answer": 0},
]
SENTENCES = [
    {"context": "", "choices": ["They are here.", "They is here."], "answer": 0},
    {"context": "", "choices": ["Him walked along the road.", "He walked along the road."], "answer": 1},
    {"context": "", "choices": ["the the", "on on on"], "answer": 1},
]
WORDS = [
    {"context": "The cat sat on the", "word": " mat"},
    {"context": "She walked along the ", "word": " road"},
    {"context": TEXT, "word": " since"},
]


def train_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator(TEXT.split("\n"), trainer)
    return tokenizer


def parameter_order(layers):
    yield "model.embed_tokens.weight"
    for layer in range(layers):
        at = f"model.layers.{layer}"
        for part in ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                     "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj", "input_layernorm",
                     "post_attention_layernorm"]:  # fmt: skip
            yield f"{at}.{part}.weight"
    yield "model.norm.weight"
    yield "lm_head.weight"


def build_model():
    model = LlamaForCausalLM(LlamaConfig(**CONFIG)).double()
    tensors = model.state_dict()
    place = 1
    for name in parameter_order(CONFIG["num_hidden_layers"]):
        count = tensors[name].numel()
        values = numpy.sin(numpy.arange(place, place + count, dtype=numpy.float64)).astype(numpy.float32)
        values = (values * numpy.float64(0.3)).astype(numpy.float32)
        tensors[name].copy_(torch.from_numpy(values).double().reshape(tensors[name].shape))
        place += count
    return model.eval()


def task(name, items, folder, delimiter, **settings):
    path = Path(folder) / f"{name}.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return {
        "task": name, "dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(path)}},
        "test_split": "test", "doc_to_text": "{{context}}", "target_delimiter": delimiter, **settings,
    }  # fmt: skip


def tasks(folder):
    """The harness joins context and choice itself, and its length of a choice is without that delimiter; a word it
    takes as it stands."""
    choice = {
        "output_type": "multiple_choice", "doc_to_choice": "{{choices}}", "doc_to_target": "{{answer}}",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
    }  # fmt: skip
    bare = [{**item, "choices": [text.removeprefix(" ") for text in item["choices"]]} for item in CHOICES]
    yield CHOICES, task("choices", bare, folder, " ", **choice)
    yield SENTENCES, task("sentences", SENTENCES, folder, "", **choice)
    yield WORDS, task(
        "words", WORDS, folder, "", output_type="loglikelihood", doc_to_target="{{word}}",
        metric_list=[{"metric": "perplexity"}, {"metric": "acc"}],
    )  # fmt: skip


def main():
    tokenizer = train_tokenizer()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")
    model = HFLM(pretrained=build_model(), tokenizer=wrapped, dtype="float64", batch_size=1, device="cpu")
    written = []
    with tempfile.TemporaryDirectory() as folder:
        for items, config in tasks(folder):
            answer = lm_eval.simple_evaluate(model, tasks=[config], log_samples=True, bootstrap_iters=2)
            name = config["task"]
            samples = sorted(answer["samples"][name], key=lambda sample: sample["doc_id"])
            metrics = answer["results"][name]
            responses = [[response for [response] in sample["resps"]] for sample in samples]
            written.append({
                "name": name,
                "items": [
                    {**item, "log_likelihoods": [float(r[0]) for r in response], "greedy": [bool(r[1]) for r in response]}
                    for item, response in zip(items, responses)
                ],
                **{
                    key.split(",")[0]: value for key, value in metrics.items()
                    # The perplexity's is a bootstrap: another each time.
                    if isinstance(value, float) and not key.startswith("perplexity_stderr")
                },
            })  # fmt: skip
    out = {"config": CONFIG, "tokenizer": json.loads(tokenizer.to_str()), "tasks": written}
    (HERE / "harness.json").write_text(json.dumps(out, ensure_ascii=False) + "\n")
    for entry in written:
        print({key: value for key, value in entry.items() if key != "items"})


if __name__ == "__main__":
    main()
