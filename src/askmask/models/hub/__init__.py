"""The three stages by models of Hugging Face transformers, without torchvision."""
